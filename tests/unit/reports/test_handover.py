"""What starts when something becomes ok: whole runs of a plan, each step drawn."""

from uuid import uuid4

import pytest
from django.db import connection

from reports.handover import lock
from reports.models import AsyncActionReport, Status
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group, task

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects


def run(*names):
    """Run tasks to their ends one after another and return what each has published."""
    return {name: ledger.succeed(name) for name in names}


def test_a_chain_goes_step_by_step():
    root = ledger.accept("a", "b", "c")
    assert run("a", "b", "c") == {"a": ["b"], "b": ["c"], "c": []}
    assert ledger.draw(root) == "ok[a ok, b ok, c ok]"


def test_what_has_its_turn_is_dispatched_and_due_in_case_its_message_is_lost(settings):
    settings.RECOVERY_REPUBLISH_AFTER = 50.0
    ledger.accept("a", task("b", options={"queue": "slow"}), "c")
    ledger.succeed("a")
    row = ledger.find("b")
    assert (row.due_at - row.dispatched_at).total_seconds() == pytest.approx(50, abs=1)
    assert ledger.find("c").dispatched_at is None


def test_chains_and_groups_are_dispatched_and_never_due():
    root = ledger.accept("a", group("b", chain("c")))
    ledger.succeed("a")
    started = ALL.filter(root=root, task="").exclude(id=root)
    assert [(row.due_at, row.dispatched_at is None) for row in started] == [(None, False)] * 2


def test_a_group_is_joined_when_its_last_member_is_ok():
    root = ledger.accept("a", group("b", "c", "d"), "e")
    assert run("a", "c", "d") == {"a": ["b", "c", "d"], "c": [], "d": []}
    assert ledger.draw(root) == "running[a ok, running(b claimable, c ok, d ok), e waiting]"
    assert run("b", "e") == {"b": ["e"], "e": []}
    assert ledger.draw(root) == "ok[a ok, ok(b ok, c ok, d ok), e ok]"


def test_a_group_at_the_end_ends_the_action():
    root = ledger.accept("a", group("b", "c"))
    assert run("a", "b", "c") == {"a": ["b", "c"], "b": [], "c": []}
    assert ledger.draw(root) == "ok[a ok, ok(b ok, c ok)]"


def test_groups_in_a_group_start_together_and_are_joined_together():
    root = ledger.accept("a", group(group("b", "c"), group(group("d"))), "e")
    assert run("a", "b", "d") == {"a": ["b", "c", "d"], "b": [], "d": []}
    assert ledger.draw(root) == "running[a ok, running(running(b ok, c claimable), ok(ok(d ok))), e waiting]"
    assert run("c") == {"c": ["e"]}


def test_chains_in_a_group_go_at_their_own_pace():
    root = ledger.accept(group(chain("a", "b"), chain("c", "d")), "e")
    assert run("a", "b", "c") == {"a": ["b"], "b": [], "c": ["d"]}
    assert ledger.draw(root) == "running[running(ok[a ok, b ok], running[c ok, d claimable]), e waiting]"
    assert run("d") == {"d": ["e"]}


def test_chains_in_a_chain_are_gone_through():
    root = ledger.accept(chain("a", chain("b", "c")), chain(chain("d")), "e")
    assert run("a", "b", "c", "d", "e") == {"a": ["b"], "b": ["c"], "c": ["d"], "d": ["e"], "e": []}
    assert ledger.draw(root) == "ok[ok[a ok, ok[b ok, c ok]], ok[ok[d ok]], e ok]"


def test_what_comes_after_a_member_s_own_steps_waits_for_nobody_else():
    root = ledger.accept(group(chain("a", group("b", "c"), "d"), "e"))
    run("a", "b", "c")
    assert ledger.draw(root) == "running[running(running[a ok, ok(b ok, c ok), d claimable], e claimable)]"


@pytest.mark.parametrize(
    ("steps", "published", "drawn"),
    [
        (["a", group()], [], "ok[a ok, ok()]"),
        (["a", group(), "b"], ["b"], "running[a ok, ok(), b claimable]"),
        (["a", group(), group(), "b"], ["b"], "running[a ok, ok(), ok(), b claimable]"),
        (["a", group(group(), group(group()))], [], "ok[a ok, ok(ok(), ok(ok()))]"),
        (["a", group(group(), "b"), "c"], ["b"], "running[a ok, running(ok(), b claimable), c waiting]"),
        (["a", chain(group(), "b"), "c"], ["b"], "running[a ok, running[ok(), b claimable], c waiting]"),
        (["a", group(chain(group(), group()), "b")], ["b"], "running[a ok, running(ok[ok(), ok()], b claimable)]"),
        ([group("a", group()), "b"], ["b"], "running[ok(a ok, ok()), b claimable]"),
        ([group(chain("a", group())), "b"], ["b"], "running[ok(ok[a ok, ok()]), b claimable]"),
        (["a", *[group()] * 400, "b"], ["b"], f"running[a ok, {'ok(), ' * 400}b claimable]"),
    ],
    ids=range(10),
)
def test_empty_groups_are_ok_when_their_turn_comes(steps, published, drawn):
    root = ledger.accept(*steps)
    assert run("a") == {"a": published}
    assert ledger.draw(root) == drawn


def test_nothing_of_another_action_is_touched():
    first, second = ledger.accept("a", "b"), ledger.accept("a", "b")
    before = [row for row in ledger.snapshot() if row["root_id"] == second]
    assert ledger.succeed("a", root=first) == ["b"]
    assert [row for row in ledger.snapshot() if row["root_id"] == second] == before
    ledger.fail("b", root=first)
    assert [row for row in ledger.snapshot() if row["root_id"] == second] == before


@pytest.mark.parametrize("members", [3, 300])
def test_a_hand_over_costs_the_same_whatever_the_fan_out(members, django_assert_num_queries):
    ledger.accept("a", group(*[f"t{n}" for n in range(members)]), "z")
    claim = ledger.claim("a")
    # The lock and all the rest; in SQLite a savepoint, the count, the task, its parent, what starts, and its release.
    following, not_following = (2, 2) if connection.vendor == "postgresql" else (6, 5)
    with django_assert_num_queries(following):
        ledger.execution.succeed(claim, None)
    claim = ledger.claim("t1")
    with django_assert_num_queries(not_following):
        ledger.execution.succeed(claim, None)


def test_locking_says_where_a_tree_stands():
    root = ledger.accept("a")
    assert lock(root) == Status.PENDING
    with pytest.raises(LookupError, match=r"^There is no report "):
        lock(uuid4())
