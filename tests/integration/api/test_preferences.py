"""POST /actions/<name> with Prefer: when it is answered, and what the answer says about that."""

from uuid import UUID

import pytest

BODY = {"customer_id": "cus_ada"}


def post(client, prefer=None, **headers):
    headers |= {"Prefer": prefer} if prefer else {}
    return client.post("/actions/sync-invoices", BODY, content_type="application/json", headers=headers)


@pytest.fixture
def waits(monkeypatch):
    """Return a list of how long was waited for reports; waiting takes no time."""
    seconds = []

    def wait(report, wanted):
        seconds.append(wanted)

    monkeypatch.setattr("api.waiting.wait_until_final", wait)
    return seconds


@pytest.fixture
def finishing(monkeypatch, ledger):
    """Have the report become final while it is waited for."""

    def wait(report, _):
        ledger.succeed(report, ["a row"], {"stored": 1, "totals": {}})

    monkeypatch.setattr("api.waiting.wait_until_final", wait)


def test_who_does_not_ask_to_wait_is_answered_at_once(ada, waits):
    answer = post(ada)

    assert (answer.status_code, waits) == (202, [])
    assert "Preference-Applied" not in answer.headers


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [
        ("respond-async", "respond-async"),
        ("wait=7", "wait=7"),
        ("respond-async, wait=7", "respond-async, wait=7"),
        ("WAIT=7; x=1, unknown, wait=9, =broken, Respond-Async", "respond-async, wait=7"),
    ],
)
def test_what_is_not_final_in_time_is_answered_by_202(ada, waits, prefer, applied):
    answer = post(ada, prefer)

    assert (answer.status_code, answer.json()["status"]) == (202, "pending")
    assert answer.headers["Preference-Applied"] == applied
    assert answer.headers["Retry-After"] == "1"
    assert waits == ([7] if "wait" in applied else [])


@pytest.mark.parametrize("prefer", ["wait=7", "respond-async, wait=7"])
@pytest.mark.usefixtures("finishing")
def test_what_is_final_in_time_is_answered_by_200(ada, prefer):
    answer = post(ada, prefer)

    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert answer.headers["Preference-Applied"] == "wait=7"
    assert answer.headers["Location"] == answer.json()["links"]["self"]
    assert "Retry-After" not in answer.headers
    assert answer.json() == ada.get(answer.headers["Location"]).json()


def test_nobody_waits_longer_than_the_setting_says(ada, waits, settings):
    settings.REQUEST_MAX_WAIT = 2.5

    assert post(ada, "wait=3600").headers["Preference-Applied"] == "wait=2"
    assert waits == [2]


def test_where_too_many_wait_it_is_answered_at_once(ada, settings):
    settings.REQUEST_MAX_WAITERS = 0

    answer = post(ada, "respond-async, wait=30")

    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "respond-async")
    assert "Preference-Applied" not in post(ada, "wait=30").headers


@pytest.mark.parametrize("prefer", ["unknown", "wait", "wait=soon", "wait=-1", "respond-async=1", "=;,"])
def test_what_is_not_understood_is_ignored(ada, waits, prefer):
    answer = post(ada, prefer)

    assert (answer.status_code, waits) == (202, [])
    assert "Preference-Applied" not in answer.headers


@pytest.mark.usefixtures("lookout")
def test_a_repeated_request_is_waited_for_too(ada, ledger):
    first = post(ada, **{"Idempotency-Key": "k"})
    ledger.succeed(UUID(first.json()["id"]), ["a row"], {"stored": 1, "totals": {}})

    again = post(ada, "wait=1", **{"Idempotency-Key": "k"})

    assert (again.status_code, again.json()["status"]) == (200, "ok")
    assert (again.headers["Preference-Applied"], again.headers["Idempotent-Replayed"]) == ("wait=1", "true")
    assert post(ada, **{"Idempotency-Key": "k"}).status_code == 202


def test_what_is_refused_is_not_waited_for(ada, waits):
    answer = ada.post("/actions/sync-invoices", {}, content_type="application/json", headers={"Prefer": "wait=5"})

    assert (answer.status_code, waits) == (422, [])
