"""GET /reports/<id>/events, read chunk by chunk in the tests' own process."""

import json
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import events
from reports import execution
from reports.models import AsyncActionReport
from services import announcements, waiters
from tests.integration.api.ledger import TWO_STEPS

pytestmark = pytest.mark.usefixtures("lookout")

RETRY = "retry: 2000\n\n"


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch):
    monkeypatch.setattr(events, "_PACE", 0)


class Stream:
    """What a client has read of the events."""

    def __init__(self, client, report, last_event_id=None):
        headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
        self.response = client.get(f"/reports/{report}/events", headers=headers)
        self.chunks = iter(self.response.streaming_content) if self.response.streaming else iter(())

    def next(self):
        """Return the next chunk."""
        return next(self.chunks).decode()

    def event(self):
        """Return id and data of the next event, past what is none."""
        while not (chunk := self.next()).startswith("id: "):
            assert chunk == RETRY or chunk.startswith(": ")
        id_line, data_line = chunk.removesuffix("\n\n").split("\n")
        return id_line.removeprefix("id: "), json.loads(data_line.removeprefix("data: "))

    def is_over(self):
        """Tell whether there is nothing more."""
        return next(self.chunks, None) is None

    def close(self):
        self.response.close()


@pytest.fixture
def stream(ada):
    streams = []

    def open_stream(report, last_event_id=None, client=ada):
        streams.append(Stream(client, report, last_event_id))
        return streams[-1]

    yield open_stream
    for one in streams:
        one.close()
    assert (waiters._requests._taken, waiters._streams._taken) == (0, 0)


def test_there_is_an_event_for_the_report_and_for_each_change_until_it_is_final(ada, ledger, stream):
    report = ledger.accept()
    reading = stream(report)
    assert reading.response.headers["Content-Type"] == "text/event-stream"
    assert "no-store" in reading.response.headers["Cache-Control"]
    assert reading.next() == RETRY

    seen = [reading.event()]
    assert seen[0][1] == ada.get(f"/reports/{report}").json()
    ledger.succeed(report, ["a row"])
    announcements.announce(report)
    seen.append(reading.event())
    ledger.succeed(report, {"stored": 1})
    seen.append(reading.event())
    assert reading.is_over()

    assert [data["status"] for _, data in seen] == ["pending", "running", "ok"]
    assert [data["tasks"]["ok"] for _, data in seen] == [0, 1, 2]
    assert seen[-1][1] == ada.get(f"/reports/{report}").json()
    assert f'"{seen[-1][0]}"' == ada.get(f"/reports/{report}").headers["ETag"]


def test_a_final_report_is_one_event(ledger, stream):
    report = ledger.accept()
    ledger.fail(report)

    reading = stream(report)

    assert reading.event()[1]["error"]["code"] == "gone"
    assert reading.is_over()


def test_who_comes_back_goes_on_where_they_were(ledger, stream):
    report = ledger.accept()
    first = stream(report)
    last, _ = first.event()
    first.close()
    ledger.succeed(report, ["a row"])

    second = stream(report, last)
    last, data = second.event()
    assert data["status"] == "running"
    second.close()

    third = stream(report, last)
    assert third.next() == RETRY
    ledger.succeed(report, None)  # and no event before for what is known
    assert third.event()[1]["status"] == "ok"
    assert third.is_over()


def test_who_has_had_the_last_event_need_not_come_back(ada, ledger, stream):
    report = ledger.accept()
    ledger.succeed(report, 1, 2)
    last, _ = stream(report).event()

    response = ada.get(f"/reports/{report}/events", headers={"Last-Event-ID": last})

    assert (response.status_code, response.content) == (204, b"")
    assert stream(report, "of another report").event()[0] == last


def test_a_report_that_is_retried_is_heard_of_again(ledger, stream):
    report = ledger.accept()
    ledger.fail(report)
    last, _ = stream(report).event()
    ledger.resume(report)

    assert stream(report, last).event()[1]["retries"] == 1


def test_a_client_is_told_that_the_stream_is_alive(ledger, stream, settings):
    settings.EVENTS_HEARTBEAT = 0.1
    reading = stream(ledger.accept())
    reading.event()

    assert [reading.next() for _ in range(3)] == [": still here\n\n"] * 3


def test_a_stream_ends_after_a_while_and_the_client_comes_back(ledger, stream, settings):
    settings.EVENTS_MAX_SECONDS, settings.EVENTS_HEARTBEAT = 0.3, 0.1
    reading = stream(ledger.accept())
    reading.event()

    while (chunk := next(reading.chunks, None)) is not None:
        assert chunk == b": still here\n\n"


def test_a_stream_of_a_report_that_changes_all_the_time_ends_as_well(ledger, stream, settings):
    settings.EVENTS_MAX_SECONDS = 0.3
    report = ledger.accept()
    reading = stream(report)
    reading.event()
    claim = ledger.claim(report)

    for count in range(1000):
        execution.report_progress(claim, {"current": count, "total": None, "message": ""})
        announcements.announce(report)
        if next(reading.chunks, None) is None:
            return
    raise AssertionError("It does not end.")


def test_a_stream_ends_when_the_process_does(ledger, stream, lookout):
    reading = stream(ledger.accept())
    reading.event()
    lookout.close()

    assert reading.is_over()


def test_a_report_that_is_purged_has_no_more_events(ledger, stream):
    report = ledger.accept()
    reading = stream(report)
    reading.event()
    AsyncActionReport.objects.filter(root=report).delete()
    announcements.announce(report)

    assert reading.is_over()


def test_an_operator_sees_what_polling_shows(ledger, stream, staff):
    report = ledger.accept()
    ledger.fail(report)

    _, data = stream(report, client=staff).event()

    assert data == staff.get(f"/reports/{report}").json()
    assert data["error"]["traceback"] == "Traceback: secret.py"


def test_there_are_only_so_many_streams(ada, ledger, stream, settings):
    settings.EVENTS_MAX_CLIENTS = 1
    report = ledger.accept()
    first = stream(report)

    refused = ada.get(f"/reports/{report}/events")

    assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
    assert refused.headers["Retry-After"] == "10"
    first.close()
    assert stream(report).event()[1]["status"] == "pending"


def test_a_stream_that_nobody_reads_leaves_its_place(ledger, stream):
    stream(ledger.accept()).close()

    assert waiters._streams._taken == 0


@pytest.mark.parametrize("which", ["another's", "nobody's", "a task's", "no id", "unknown parameter"])
def test_what_is_refused_takes_no_place(ada, bob, ledger, which):
    report = ledger.accept()
    task = AsyncActionReport.objects.filter(root=report, kind="task").first().id
    path, client, status = {
        "another's": (f"/reports/{report}/events", bob, 404),
        "nobody's": (f"/reports/{uuid4()}/events", ada, 404),
        "a task's": (f"/reports/{task}/events", ada, 404),
        "no id": ("/reports/nonsense/events", ada, 404),
        "unknown parameter": (f"/reports/{report}/events?x=1", ada, 400),
    }[which]

    response = client.get(path)

    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert waiters._streams._taken == 0


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.booleans(), min_size=5, max_size=5))
def test_wherever_the_connection_is_lost_no_state_comes_twice_and_the_last_is_had(ada, ledger, cuts):
    """A client that comes back, or not, after each change, has the same as one that stays."""
    report = ledger.accept(TWO_STEPS)
    steps = [
        lambda: None,
        lambda: ledger.succeed(report, ["a row"]),
        lambda: ledger.fail(report),
        lambda: ledger.resume(report),
        lambda: ledger.succeed(report, {"stored": 1}),
    ]
    reading, last, had = None, None, []
    for step, cut in zip(steps, cuts, strict=True):
        step()
        announcements.announce(report)
        reading = reading or Stream(ada, report, last)
        last, data = reading.event()
        had.append(data)
        if cut or data["status"] in ("ok", "failed"):
            reading.close()
            reading = None

    assert [data["status"] for data in had] == ["pending", "running", "failed", "pending", "ok"]
    assert ada.get(f"/reports/{report}/events", headers={"Last-Event-ID": last}).status_code == 204
    assert waiters._streams._taken == 0
