import pytest

from reports import acceptance, execution, intervention
from reports.models import AsyncActionReport
from reports.requests import Request
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, task

pytestmark = pytest.mark.django_db

TRACE = f"00-{'a' * 32}-{'b' * 16}-01"


def accept(*names: str):
    request = Request.of("sync", chain(*map(task, names)), parameters={})
    [accepted], _ = acceptance.accept_all([request], requested_by=None, trace=TRACE)
    return accepted.report


def test_every_attempt_at_every_task_is_in_the_trace_of_the_request():
    accept("a", "b")
    assert ledger.claim("a").trace == TRACE
    execution.put_off(ledger.find("a").id, 1, ledger.failure_of("a"), delay=0)
    again = ledger.claim("a")
    assert (again.attempt, again.trace) == (2, TRACE)
    execution.succeed(again, None)
    assert ledger.claim("b").trace == TRACE


def test_what_is_added_or_retried_later_is_in_it_too():
    root = accept("a")
    ledger.expand("a", "b")
    ledger.fail("b")
    intervention.resume(root)
    assert ledger.claim("b").trace == TRACE


def test_no_message_carries_it():
    request = Request.of("sync", chain(task("a")), parameters={})
    _, [dispatch] = acceptance.accept_all([request], requested_by=None, trace=TRACE)
    assert dispatch.options == {}
    assert AsyncActionReport.objects.get(id=dispatch.id).options is None
