"""POST /actions/<name> with a schedule and a deadline: what is committed and shown. No worker takes it up."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from api.invoices import SyncInvoicesApi
from reports import claiming, intervention, waiting
from reports.models import AsyncActionReport
from reports.selectors import read_clock

ALMOST = timedelta(seconds=10)  # between the request and its test


@pytest.fixture
def published(monkeypatch):
    """Return the names of the tasks that are published at once."""
    names = []
    monkeypatch.setattr("services.actions.publish", lambda some, **_: names.extend(one.task for one in some))
    return names


@pytest.fixture
def ask(ada, published, django_capture_on_commit_callbacks):
    """Return a function that asks for an action with these query parameters."""

    def post(**query):
        with django_capture_on_commit_callbacks(execute=True):
            return ada.post(
                "/actions/sync-invoices",
                {"customer_id": "cus_ada"},
                content_type="application/json",
                query_params=query,
            )

    return post


def moment(body, name):
    return datetime.fromisoformat(body[name])


def claim_first(report):
    task = AsyncActionReport.objects.get(parent=report, position=0)
    return claiming.claim(task.id, task=task.task, worker="worker@here")


def let_pass(report, *columns):
    """Have these moments of an action be over."""
    past = read_clock() - timedelta(seconds=1)
    AsyncActionReport.objects.filter(root=report).exclude(due_at=None).update(
        **{column: past for column in columns if column != "deadline_at"}
    )
    AsyncActionReport.objects.filter(id=report).update(**dict.fromkeys(set(columns) - {"due_at"}, past))


def test_a_delayed_action_is_pending_until_its_time(ada, ask, published):
    response = ask(delay="3600")

    assert response.status_code == 202
    body = response.json()
    assert (body["status"], body["deadline_at"]) == ("pending", None)
    assert timedelta(hours=1) - ALMOST < moment(body, "not_before") - read_clock() <= timedelta(hours=1)
    assert ada.get(response.headers["Location"]).json() == body
    [listed] = ada.get("/reports?status=pending").json()["items"]
    assert listed["not_before"] == body["not_before"]
    assert published == []
    assert waiting.take_due(10) == []
    assert claim_first(body["id"]) is None

    let_pass(body["id"], "not_before", "due_at")

    assert [dispatch.task for dispatch in waiting.take_due(10)] == ["invoices.fetch"]
    assert claim_first(body["id"]) is not None
    assert ada.get(response.headers["Location"]).json()["status"] == "running"


@pytest.mark.parametrize(("delay", "least", "most"), [("3600", 60, 60), ("60", 50, 60), ("20", 10, 20)])
def test_a_scheduled_report_says_when_to_ask_again(ada, ask, delay, least, most):
    response = ask(delay=delay)
    again = ada.get(response.headers["Location"])

    for answer in (response, again):
        assert least <= int(answer.headers["Retry-After"]) <= most

    let_pass(again.json()["id"], "not_before", "due_at")

    assert ada.get(response.headers["Location"]).headers["Retry-After"] == "1"


def test_a_time_with_an_offset_is_shown_in_utc(ask):
    year = read_clock().year + 1

    body = ask(run_at=f"{year}-03-01T01:30:00.5+02:00", expires_at=f"{year}-03-01T00:00:00Z").json()

    assert moment(body, "not_before") == datetime.fromisoformat(f"{year}-02-28T23:30:00.5+00:00")
    assert moment(body, "deadline_at") == datetime.fromisoformat(f"{year}-03-01T00:00:00+00:00")
    assert body["not_before"] == f"{year}-02-28T23:30:00.500000Z"
    assert body["deadline_at"] == f"{year}-03-01T00:00:00.000000Z"


def test_a_time_that_has_just_passed_means_at_once(ask, published):
    body = ask(run_at=(read_clock() - timedelta(seconds=5)).isoformat()).json()

    assert body["not_before"] is None
    assert published == ["invoices.fetch"]


def test_an_action_that_has_not_started_in_time_expires(ada, ask, published):
    body = ask(expires_in="60").json()
    assert timedelta(minutes=1) - ALMOST < moment(body, "deadline_at") - read_clock() <= timedelta(minutes=1)
    assert published == ["invoices.fetch"]

    let_pass(body["id"], "deadline_at")

    assert claim_first(body["id"]) is None
    assert [str(root) for root in waiting.find_overdue(10)] == [body["id"]]
    assert intervention.end_overdue(UUID(body["id"]))
    report = ada.get(f"/reports/{body['id']}").json()
    assert (report["status"], report["error"]["code"], report["error"]["task"]) == ("failed", "expired", None)
    assert ada.post(report["links"]["retry"], content_type="application/json").json()["errors"][0]["task"] is None


def test_an_action_that_has_started_in_time_has_no_deadline_any_more(ada, ask):
    body = ask(expires_in="60").json()
    assert claim_first(body["id"]) is not None

    assert ada.get(f"/reports/{body['id']}").json()["deadline_at"] is None


def test_an_action_with_a_time_budget_has_its_deadline_once_it_runs(ada, ask, monkeypatch):
    monkeypatch.setattr(SyncInvoicesApi, "time_budget", 600)
    body = ask(expires_in="60").json()
    assert moment(body, "deadline_at") - read_clock() <= timedelta(minutes=1)
    assert claim_first(body["id"]) is not None

    running = ada.get(f"/reports/{body['id']}").json()
    assert timedelta(minutes=10) - ALMOST < moment(running, "deadline_at") - read_clock() <= timedelta(minutes=10)

    let_pass(body["id"], "deadline_at")
    assert intervention.end_overdue(UUID(body["id"]))
    assert ada.get(f"/reports/{body['id']}").json()["error"].items() >= {"code": "timed_out", "task": None}.items()


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ({"delay": "-1"}, "delay", "invalid"),
        ({"run_at": "tomorrow"}, "run_at", "invalid"),
        ({"run_at": "2020-01-01T00:00:00Z"}, "run_at", "in_the_past"),
        ({"delay": "5", "run_at": "2020-01-01T00:00:00Z"}, "delay", "contradictory"),
        ({"delay": "60", "expires_in": "60"}, "expires_in", "too_early"),
        ({"at": "2020-01-01T00:00:00Z"}, "at", "unknown_parameter"),
        ({"delay": ["1", "2"]}, "delay", "repeated_parameter"),
    ],
)
def test_what_does_not_make_sense_is_refused(ask, query, parameter, code):
    response = ask(**query)

    assert (response.status_code, response.json()["code"]) == (400, "query_invalid")
    [error] = response.json()["errors"]
    assert (error["parameter"], error["code"]) == (parameter, code)
    assert not AsyncActionReport.objects.exists()


def test_a_plus_that_was_not_escaped_is_explained(ada):
    url = "/actions/sync-invoices?run_at=2099-01-01T00:00:00+01:00"
    response = ada.post(url, {"customer_id": "cus_ada"}, content_type="application/json")

    assert "In a URL, + is written %2B." in response.json()["errors"][0]["detail"]


def test_a_schedule_costs_one_query_and_none_without(ask, django_assert_max_num_queries):
    ask()  # from now on, it is known how long the action takes
    with django_assert_max_num_queries(50) as without:
        ask()
    with django_assert_max_num_queries(50) as clock:
        ask(expires_in="60")
    assert len(clock) == len(without) + 1
