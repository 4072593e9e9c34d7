import pytest
from kombu.exceptions import OperationalError

from reports import intervention, waiting
from reports.handover import Dispatch
from services import dispatch, recovery
from services.metrics import counted
from services.metrics.counted import REGISTRY
from tests.unit.reports import ledger
from tests.unit.reports.plans import group

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _declared(monkeypatch):
    monkeypatch.setattr(counted, "_declared", {"declared"})
    counted.count_ends()


@pytest.fixture
def growth():
    """Return how much a number has grown since the test began, by its name and labels."""
    before = {(sample.name, *sorted(sample.labels.items())): sample.value for sample in _samples()}

    def growth(name: str, **labels: str) -> float:
        now = REGISTRY.get_sample_value(name, labels) or 0
        return now - before.get((name, *sorted(labels.items())), 0)

    return growth


def _samples():
    return [sample for family in REGISTRY.collect() for sample in family.samples]


def _finished(growth, action="declared"):
    statuses = ("ok", "failed", "cancelled")
    return [growth("async_actions_reports_finished_total", action=action, status=status) for status in statuses]


def test_an_action_that_ends_is_counted_after_the_commit(growth, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        ledger.accept("a", action="declared")
        ledger.succeed("a")
        assert _finished(growth) == [0, 0, 0]
    assert _finished(growth) == [1, 0, 0]
    assert growth("async_actions_report_run_seconds_count", action="declared") == 1


def test_an_action_that_fails_is_counted_once(growth, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        ledger.accept(group("a", "b"), action="declared")
        ledger.fail("a")
    assert _finished(growth) == [0, 1, 0]
    assert growth("async_actions_report_run_seconds_count", action="declared") == 1


def test_an_action_that_is_cancelled_has_no_time_of_its_own(growth, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        intervention.cancel(ledger.accept("a", action="declared"))
    assert _finished(growth) == [0, 0, 1]
    assert growth("async_actions_report_run_seconds_count", action="declared") == 0


def test_what_nobody_declares_has_one_name(growth, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        ledger.accept(group(), action="made-up")
        ledger.accept(group(), action="made-up-too")
    assert _finished(growth, action="other") == [2, 0, 0]


def test_a_declared_action_is_there_before_anything_happens():
    counted.declare("quiet")
    assert REGISTRY.get_sample_value("async_actions_reports_accepted_total", {"action": "quiet"}) == 0


@pytest.mark.parametrize(("method", "status", "shown"), [("GET", 200, ("GET", "2xx")), ("ODD", 503, ("other", "5xx"))])
def test_a_request_is_counted_by_class(growth, method, status, shown):
    counted.count_request("", method=method, status=status, seconds=0.2)
    labels = {"operation": "other", "method": shown[0], "status": shown[1]}
    assert growth("async_actions_http_request_seconds_count", **labels) == 1
    assert growth("async_actions_http_request_seconds_bucket", le="0.25", **labels) == 1
    assert growth("async_actions_http_request_seconds_bucket", le="0.1", **labels) == 0


@pytest.mark.parametrize(("error", "kind"), [(OperationalError("away"), "away"), (ValueError("odd"), "refused")])
def test_a_broker_that_takes_no_message_is_counted(growth, monkeypatch, error, kind):
    ledger.accept("a")

    def send_task(*_, **__):
        raise error

    monkeypatch.setattr(dispatch, "_broker_away_until", 0.0)
    monkeypatch.setattr(dispatch.current_app._get_current_object(), "send_task", send_task)
    dispatch.publish([Dispatch(ledger.find("a").id, "a", {})])
    assert growth("async_actions_broker_errors_total", kind=kind) == 1


def test_a_rescue_is_counted_by_what_becomes_of_the_task(growth):
    ledger.accept("a")
    claim = ledger.claim("a")
    recovery.rescue(waiting.find_lost(claim.id, worker=ledger.WORKER))
    assert growth("async_actions_tasks_rescued_total", outcome="failed") == 1
