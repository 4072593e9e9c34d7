"""What the processes of a server and of a worker have counted, as one, and what the ledger says."""

import re
from collections.abc import Callable

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.metrics.counted import REGISTRY
from stack.process import wait_for
from tests.integration.observation.conftest import TOKEN


class Scraped:
    """What an address shows."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.samples: dict[str, list[tuple[dict[str, str], float]]] = {}
        self.names: set[str] = set()
        answer = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False)
        assert (answer.status_code, answer.headers["Content-Type"].startswith("text/plain")) == (200, True)
        for family in text_string_to_metric_families(answer.text):
            self.names.add(family.name)
            for sample in family.samples:
                self.samples.setdefault(sample.name, []).append((sample.labels, sample.value))

    def sum(self, name: str, **labels: str) -> float:
        """Return the sum over the samples with these labels."""
        return sum(value for its, value in self.samples.get(name, []) if its.items() >= labels.items())


@pytest.fixture
def web(stack) -> Callable[[], Scraped]:
    return lambda: Scraped(stack.url)


@pytest.fixture
def worker(stack, worker_port) -> Callable[[], Scraped]:
    return lambda: Scraped(f"http://127.0.0.1:{worker_port}")


def _run(client: httpx.Client, action: str, parameters: dict) -> dict:
    path = client.post(f"/actions/{action}", json=parameters).json()["links"]["self"]
    assert wait_for(lambda: client.get(path).json()["status"] in ("ok", "failed"), 60)
    return client.get(path).json()


def test_what_happens_is_counted_where_it_happens_whichever_process_it_is(stack, client, web, worker, faults):
    before = web(), worker()
    faults({"kind": "status", "status": 503, "path": "/customers/cus_ada/", "count": 1})
    for _ in range(6):
        with stack.client() as another:  # a connection of its own, to one of the two processes
            _run(another, "sync-invoices", {"customer_id": "cus_ada"})
    _run(client, "blunder", {"text": "nothing"})
    cancelled = client.post("/actions/sync-invoices?delay=1000", json={"customer_id": "cus_ada"}).json()
    client.post(cancelled["links"]["cancel"], json={})

    assert wait_for(lambda: _difference(worker(), before[1], "async_actions_task_run_seconds_count") >= 14, 10)
    after = web(), worker()

    def counted(name: str, **labels: str) -> tuple[float, float]:
        return tuple(_difference(now, then, name, **labels) for now, then in zip(after, before, strict=True))

    assert counted("async_actions_reports_accepted_total", action="sync-invoices") == (7, 0)
    assert counted("async_actions_reports_accepted_total", action="blunder") == (1, 0)
    assert counted("async_actions_reports_finished_total", action="sync-invoices", status="ok") == (0, 6)
    assert counted("async_actions_reports_finished_total", action="sync-invoices", status="cancelled") == (1, 0)
    assert counted("async_actions_reports_finished_total", action="blunder", status="failed") == (0, 1)
    assert counted("async_actions_report_run_seconds_count", action="sync-invoices") == (0, 6)
    # Two tasks of each, and one of them twice.
    assert counted("async_actions_task_queue_seconds_count", action="sync-invoices") == (0, 13)
    assert counted("async_actions_task_run_seconds_count", action="sync-invoices") == (0, 13)
    assert counted("async_actions_task_retries_total", action="sync-invoices") == (0, 1)
    assert counted("async_actions_messages_republished_total", reason="due")[1] >= 1
    submits = {"operation": "/actions/sync-invoices", "method": "POST", "status": "2xx"}
    assert counted("async_actions_http_request_seconds_count", **submits) == (7, 0)
    cancels = {"operation": "/reports/{report_id}/cancel", "method": "POST", "status": "2xx"}
    assert counted("async_actions_http_request_seconds_count", **cancels) == (1, 0)


def _difference(now: Scraped, then: Scraped, name: str, **labels: str) -> float:
    return now.sum(name, **labels) - then.sum(name, **labels)


def test_a_killed_process_takes_nothing_with_it(client, worker):
    before = worker()
    report = _run(client, "stumble", {})

    assert report["status"] == "ok"
    assert wait_for(lambda: _difference(worker(), before, "async_actions_task_run_seconds_count") == 1, 10)
    # Both attempts have started, and the first was counted by a process that was killed in it.
    assert _difference(worker(), before, "async_actions_task_queue_seconds_count", action="stumble") == 2
    assert _difference(worker(), before, "async_actions_tasks_rescued_total", outcome="again") == 1
    assert _difference(worker(), before, "async_actions_reports_finished_total", action="stumble") == 1


def test_what_clients_make_up_is_no_label(stack, client, web):
    before = web()
    for path in ("/actions/made-up-by-clients", "/reports/made-up-by-clients", "/made-up-by-clients"):
        client.get(path)
    client.request("MADEUP", "/reports")

    answer = httpx.get(f"{stack.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False)
    assert "made-up" not in answer.text
    assert "MADEUP" not in answer.text
    requests = "async_actions_http_request_seconds_count"
    assert _difference(web(), before, requests, operation="other", status="4xx") == 1
    assert _difference(web(), before, requests, operation="/reports", method="other") == 1


def test_the_ledger_says_how_many_wait(stack, client, web):
    stack.worker.pause()
    try:
        for _ in range(3):
            client.post("/actions/sync-invoices", json={"customer_id": "cus_ada"})
        client.post("/actions/sync-invoices?delay=1000", json={"customer_id": "cus_ada"})
        labels = {"action": "sync-invoices", "queue": "async-actions"}

        def is_told() -> bool:
            told = web()
            oldest = told.sum("async_actions_oldest_waiting_seconds", **labels)
            return told.sum("async_actions_tasks_waiting", **labels) == 3 and oldest > 0

        assert wait_for(is_told, 15)
        assert web().sum("async_actions_ledger_up") == 1
    finally:
        stack.worker.resume()


def test_whoever_scrapes_may_call_a_machine_by_its_address(stack):
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "10.1.2.3:8000"}
    assert httpx.get(f"{stack.url}/metrics", headers=headers, trust_env=False).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": f"Basic {TOKEN}"}])
def test_nobody_else_reads_them(stack, worker_port, headers):
    for url in (stack.url, f"http://127.0.0.1:{worker_port}"):
        answer = httpx.get(f"{url}/metrics", headers=headers, trust_env=False)
        assert answer.status_code == 404
        assert "async_actions" not in answer.text


def test_names_are_as_prometheus_has_them(web, worker):
    for name in web().names | worker().names | {family.name for family in REGISTRY.collect()}:
        assert re.fullmatch(r"async_actions_[a-z_]+[a-z]", name)
