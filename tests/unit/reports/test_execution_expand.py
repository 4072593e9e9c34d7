from dataclasses import replace

import pytest

from reports import claiming, execution, intervention
from reports.errors import AttemptLostError, PlanTooLargeError
from reports.inputs import result_of
from reports.models import AsyncActionReport, Kind, Status
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects


def test_the_task_becomes_a_chain_of_what_it_returned():
    root = ledger.accept("a", "b")
    assert ledger.expand("a", "x", group("y", "z")) == ["x"]
    row = ledger.find("a")
    assert (row.kind, row.status, row.children_total, row.result) == (Kind.CHAIN, Status.RUNNING, 2, None)
    assert ledger.draw(root) == "running[running[x claimable, pending(y waiting, z waiting)], b waiting]"


def test_the_flow_goes_on_when_the_chain_is_ok():
    root = ledger.accept("a", "b")
    ledger.expand("a", "x", group("y", "z"))
    assert ledger.succeed("x") == ["y", "z"]
    assert ledger.succeed("z") == []
    assert ledger.succeed("y") == ["b"]
    assert ledger.draw(root) == "running[ok[x ok, ok(y ok, z ok)], b claimable]"


def test_what_grew_counts_as_done_and_what_it_grew_into_as_more_to_do():
    root = ledger.accept("a", "b")
    ledger.expand("a", "x", group("y", "z"))
    row = ALL.get(id=root)
    assert (row.tasks_ok, row.tasks_total) == (1, 5)
    for name in "xyzb":
        ledger.succeed(name)
    row = ALL.get(id=root)
    assert (row.status, row.tasks_ok, row.tasks_total) == (Status.OK, 5, 5)


def test_what_it_grew_into_belongs_to_the_same_client_and_action():
    ledger.accept("a", action="sync")
    ledger.expand("a", "x")
    grown = ledger.find("x")
    assert (grown.action, grown.system_call, grown.root) == ("sync", True, ledger.find("a").root)


def test_the_last_task_may_grow():
    root = ledger.accept("a", "b")
    ledger.succeed("a")
    ledger.expand("b", "x")
    assert ledger.draw(root) == "running[a ok, running[x claimable]]"
    ledger.succeed("x", "end")
    assert ledger.draw(root) == "ok[a ok, ok[x ok]]"
    assert result_of(root) == "end"


def test_members_of_a_group_may_grow():
    root = ledger.accept(group("a", "b"), "c")
    ledger.expand("a", "x")
    assert ledger.succeed("b") == []
    assert ledger.succeed("x") == ["c"]
    assert ledger.draw(root) == "running[ok(ok[x ok], b ok), c claimable]"


def test_what_grew_may_grow():
    root = ledger.accept("a", "b")
    ledger.expand("a", "x", "y")
    ledger.expand("x", group("p", "q"))
    ledger.succeed("p")
    assert ledger.expand("q", "r") == ["r"]
    assert ledger.succeed("r") == ["y"]
    assert ledger.expand("y", "s") == ["s"]
    assert ledger.succeed("s") == ["b"]
    assert ledger.draw(root) == "running[ok[ok[ok(p ok, ok[r ok])], ok[s ok]], b claimable]"
    assert ALL.get(id=root).tasks_total == ALL.get(id=root).tasks_ok + 1


def test_it_may_grow_into_nothing_but_empty_groups():
    root = ledger.accept(group("a", "b"), "c")
    ledger.succeed("b", "b")
    assert ledger.expand("a", group(), group(group())) == ["c"]
    assert ledger.draw(root) == "running[ok(ok[ok(), ok(ok())], b ok), c claimable]"
    assert claiming.arguments_of(ledger.claim("c")) == ([[[]], "b"],)


def test_a_first_empty_group_in_what_it_grew_into():
    ledger.accept("a", "b")
    assert ledger.expand("a", group(), "x") == ["x"]


def test_a_report_does_not_grow_beyond_its_limit(settings):
    settings.REPORT_MAX_TASKS = 4
    ledger.accept("a", "b")
    claim = ledger.claim("a")
    before = ledger.snapshot()
    with pytest.raises(PlanTooLargeError, match=r"^The report would have 5 tasks; 4 are allowed\.$"):
        execution.expand(claim, chain("x", group("y", "z")))
    assert ledger.snapshot() == before
    assert ledger.names(execution.expand(claim, chain("x", "y"))) == ["x"]


@pytest.mark.parametrize("end", ["cancel", "fail"])
def test_what_grows_after_its_action_is_final_is_kept_and_does_not_start(end):
    root = ledger.accept(group("a", "b"), "c")
    claim = ledger.claim("a")
    if end == "cancel":
        intervention.cancel(root)
    else:
        ledger.fail("b")
    assert execution.expand(claim, chain("x", group("y"), group())) == []
    last = "cancelled" if end == "cancel" else "failed"
    assert ledger.draw(root) == (
        f"{last}[{last}(cancelled[x cancelled, cancelled(y cancelled), cancelled()], b {last}), c cancelled]"
    )
    assert (ALL.get(id=root).tasks_total, ALL.get(id=root).tasks_ok) == (5, 1)
    assert {ledger.find(name).dispatched_at for name in "xy"} == {None}


@pytest.mark.parametrize("end", ["succeed", "fail", "put_off", "expand"])
def test_an_attempt_that_is_over(end):
    ledger.accept("a", "b")
    claim = ledger.claim("a")
    if end == "succeed":
        execution.succeed(claim, None)
    elif end == "fail":
        execution.fail(claim.id, claim.attempt, ledger.failure_of("a"))
    elif end == "put_off":
        execution.put_off(claim.id, claim.attempt, ledger.failure_of("a"), delay=0)
    else:
        execution.expand(claim, chain("w"))
    before = ledger.snapshot()
    with pytest.raises(AttemptLostError):
        execution.expand(claim, chain("x"))
    assert ledger.snapshot() == before


def test_the_attempt_of_somebody_else():
    ledger.accept("a")
    claim = ledger.claim("a")
    before = ledger.snapshot()
    with pytest.raises(AttemptLostError):
        execution.expand(replace(claim, attempt=2), chain("x"))
    assert ledger.snapshot() == before
