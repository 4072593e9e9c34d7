"""Cancel, retry, schedule and expire end to end: real web server, worker and InvoicesPlus.

Nothing waits for a time to pass but until something is seen to have happened, or while a worker proves, by other work
that it has done in the meantime, that it would have had its chance.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from reports.selectors import read_clock
from stack.process import wait_for
from stack.sandbox import API_KEY

PATIENCE = 30.0  # seconds
Report = dict[str, Any]


@pytest.fixture
def live(stack) -> Iterator[httpx.Client]:
    with stack.client() as client:
        yield client


@pytest.fixture
def faults(stack) -> Iterator[Callable[..., None]]:
    """Return a function that switches these faults of InvoicesPlus on, in place of all others."""
    with httpx.Client(
        base_url=stack.sandbox.url, headers={"Authorization": f"Bearer {API_KEY}"}, trust_env=False
    ) as sandbox:

        def switch_on(*faults: dict[str, Any]) -> None:
            sandbox.put("/faults", json={"faults": faults}).raise_for_status()

        yield switch_on
        switch_on()


@pytest.fixture
def paused(stack) -> Iterator[Any]:
    """Return the worker, which does nothing until it is told to go on."""
    stack.worker.pause()
    yield stack.worker
    stack.worker.resume()


def ask(client, action="sync-invoices", body=None, **query) -> Report:
    answer = client.post(f"/actions/{action}", json={"customer_id": "cus_ada"} if body is None else body, params=query)
    assert answer.status_code == 202, answer.text
    return answer.json()


def read(client, report) -> Report:
    return client.get(report["links"]["self"]).json()


def tasks(client, report) -> list[Report]:
    return client.get(report["links"]["tasks"]).json()["items"]


def wait_until(client, report, *statuses) -> Report:
    latest: Report = {}

    def reached() -> bool:
        latest.update(read(client, report))
        return latest["status"] in statuses

    assert wait_for(reached, PATIENCE), latest
    return latest


def final(client, report) -> Report:
    return wait_until(client, report, "ok", "failed", "cancelled")


def let_worker_do_something_else(client) -> None:
    assert final(client, ask(client, "sync-all-invoices", {}))["status"] == "ok"


def settled_tasks(client, report) -> list[Report]:
    """Return the tasks of a final report once none of them is in flight."""
    assert wait_for(lambda: all(task["status"] != "running" for task in tasks(client, report)), PATIENCE)
    return tasks(client, report)


def moment(report, name) -> datetime:
    return datetime.fromisoformat(report[name])


def test_an_action_cancelled_while_it_runs_starts_nothing_more(live, faults):
    faults({"kind": "slow", "path": "/customers/cus_ada/", "delay": 5})
    report = ask(live)
    fetch, store = tasks(live, report)
    wait_until(live, fetch, "running")

    cancelled = live.post(report["links"]["cancel"])

    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert final(live, fetch)["status"] == "ok"  # it had been sent already, and is not told
    let_worker_do_something_else(live)
    assert read(live, report) == cancelled.json() | {"tasks": {"total": 2, "ok": 1}}
    never = read(live, store)
    assert (never["status"], never["attempts"], never["dispatched_at"]) == ("cancelled", 0, None)
    again = live.post(report["links"]["cancel"])
    assert (again.status_code, again.json()["code"]) == (409, "report_final")


def test_an_action_cancelled_while_it_waits_never_runs(live, paused):
    report = ask(live)

    assert live.post(report["links"]["cancel"]).json()["status"] == "cancelled"

    paused.resume()
    let_worker_do_something_else(live)
    assert [task["attempts"] for task in tasks(live, report)] == [0, 0]
    assert read(live, report)["status"] == "cancelled"


def test_a_retry_resumes_where_it_failed_and_nowhere_else(live, faults):
    faults({"kind": "status", "status": 400, "path": "/customers/cus_ada/", "count": 1000})
    report = final(live, ask(live, "sync-all-invoices", {}))
    assert (report["status"], report["error"]["task"]) == ("failed", "invoices.fetch")
    ok_before = {task["id"]: task for task in settled_tasks(live, report) if task["status"] == "ok"}
    assert ok_before
    planned = [task["id"] for task in tasks(live, report)]
    assert live.post(report["links"]["retry"]).status_code == 202
    assert final(live, report)["error"] == report["error"]
    settled_tasks(live, report)
    faults()

    answer = live.post(report["links"]["retry"])

    assert (answer.status_code, answer.headers["Location"]) == (202, report["links"]["self"])
    done = final(live, report)
    assert (done["status"], done["retries"], done["error"]) == ("ok", 2, None)
    assert done["result"]["stored"] > 3
    assert [(error["attempt"], error["code"]) for error in done["errors"]] == [
        (number, report["error"]["code"]) for number in (1, 2)
    ]
    after = tasks(live, report)
    assert [task["id"] for task in after] == planned
    assert {task["id"]: task for task in after if task["id"] in ok_before} == ok_before
    [repaired] = [task for task in after if task["errors"]]
    assert (repaired["task"], repaired["attempts"], len(repaired["errors"])) == ("invoices.fetch", 3, 2)
    assert all(task["attempts"] == 1 for task in after if task["kind"] == "task" and task is not repaired)
    refused = live.post(f"{report['links']['self']}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "report_not_retryable")


def test_a_cancelled_action_is_resumed(live, faults):
    faults({"kind": "status", "status": 503, "retry_after": 3600, "path": "/customers/cus_ada/"})
    report = ask(live)
    fetch = tasks(live, report)[0]
    assert wait_for(lambda: read(live, fetch)["errors"], PATIENCE)  # and now it waits an hour
    report = live.post(report["links"]["cancel"]).json()

    live.post(report["links"]["retry"])

    assert final(live, report)["result"]["stored"] == 3
    assert read(live, fetch)["attempts"] == 2


def in_three_seconds() -> str:
    return (read_clock() + timedelta(seconds=3)).isoformat()


@pytest.mark.parametrize(
    ("name", "value"), [("delay", lambda: "3"), ("run_at", in_three_seconds)], ids=["delay", "run_at"]
)
def test_a_scheduled_action_runs_after_its_time_and_not_before(live, name, value):
    report = ask(live, **{name: value()})
    assert report["status"] == "pending"

    let_worker_do_something_else(live)
    waiting = read(live, report)
    assert waiting["status"] == "pending" or read_clock() >= moment(report, "not_before")

    done = final(live, report)
    assert (done["status"], done["not_before"]) == ("ok", report["not_before"])
    assert all(moment(task, "started_at") >= moment(report, "not_before") for task in tasks(live, report))


def test_an_action_that_could_not_start_in_time_expires(live, paused):
    report = ask(live, expires_in=1)
    assert wait_for(lambda: read_clock() > moment(report, "deadline_at"), PATIENCE)
    assert read(live, report)["status"] == "pending"

    paused.resume()

    failed = final(live, report)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "expired")
    assert failed["error"]["message"] == "sync-invoices had not started by its deadline."
    let_worker_do_something_else(live)
    assert [(task["status"], task["attempts"]) for task in tasks(live, report)] == [("cancelled", 0)] * 2
