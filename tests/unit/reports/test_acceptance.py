from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model

from reports import acceptance, claiming, intervention, selectors, waiting
from reports.errors import DocumentInvalidError, DocumentTooLargeError, PlanInvalidError, PlanTooLargeError
from reports.handover import Dispatch
from reports.models import AsyncActionReport, Kind, Status
from reports.plan import ChainNode
from reports.requests import ANY_TIME, Request, Timing
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group, task

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects


def in_seconds(seconds):
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_the_root_has_all_that_the_client_asked_for():
    client = get_user_model().objects.create(username="ada")
    root = ledger.accept("a", group("b", "c"), action="sync", parameters={"customer": "ada"}, requested_by=client.id)
    row = ALL.get(id=root)
    assert (row.root_id, row.parent_id, row.kind, row.status) == (root, None, Kind.CHAIN, Status.PENDING)
    assert (row.action, row.task, row.system_call, row.requested_by) == ("sync", "", False, client)
    assert (row.parameters, row.result, row.progress, row.errors) == ({"customer": "ada"}, None, None, [])
    assert (row.children_total, row.children_ok, row.tasks_total, row.tasks_ok) == (2, 0, 3, 0)
    assert (row.attempts, row.retries, row.losses, row.publications) == (0, 0, 0, 0)
    assert abs(row.created_at - datetime.now(UTC)) < timedelta(seconds=60)
    assert [row.started_at, row.finished_at, row.deadline_at, row.time_budget, row.not_before] == [None] * 5


def test_what_is_below_it_is_its_client_s_and_marked_as_a_system_call():
    client = get_user_model().objects.create(username="ada")
    root = ledger.accept("a", group("b"), action="sync", requested_by=client.id)
    below = ALL.filter(root=root).exclude(id=root)
    assert below.count() == 3
    assert {(row.action, row.system_call, row.requested_by, row.parameters) for row in below} == {
        ("sync", True, client, None)
    }


@pytest.mark.parametrize("timing", [ANY_TIME, Timing(expires_at=in_seconds(60), time_budget=5.0)])
def test_what_is_accepted_is_known_without_reading_it(timing):
    client = get_user_model().objects.create(username="ada")
    request = Request.of("sync", chain("a", group("b")), parameters={"customer": "ada"}, timing=timing)
    [accepted], _ = acceptance.accept_all([request], requested_by=client.id)
    assert accepted.as_new == selectors.find(accepted.report, owner=client.id)


def test_what_ends_as_it_is_accepted_is_read():
    [accepted], _ = acceptance.accept_all([Request.of("sync", chain(group()), parameters={})], requested_by=None)
    assert accepted.as_new is None
    assert selectors.find(accepted.report, owner=None).status == Status.OK


def test_what_is_to_run_later_is_read():
    request = Request.of("sync", chain("a"), parameters={}, timing=Timing(not_before=in_seconds(60)))
    [accepted], _ = acceptance.accept_all([request], requested_by=None)
    assert accepted.as_new is None


def test_an_action_may_be_a_system_call_itself():
    assert ALL.get(id=ledger.accept("a", system_call=True)).system_call


def test_only_the_first_tasks_are_dispatched():
    root, published = ledger.accepted("a", "b")
    assert published == ["a"]
    assert ledger.draw(root) == "pending[a claimable, b waiting]"
    first, second = ledger.find("a"), ledger.find("b")
    assert None not in (first.dispatched_at, first.due_at)
    assert (second.dispatched_at, second.due_at) == (None, None)


def test_all_members_of_a_first_group_are_dispatched(settings):
    settings.RECOVERY_REPUBLISH_AFTER = 50.0
    root, published = ledger.accepted(group("a", chain("b", "c"), group("d")), "e")
    assert published == ["a", "b", "d"]
    assert ledger.draw(root) == (
        "pending[running(a claimable, running[b claimable, c waiting], running(d claimable)), e waiting]"
    )
    due = ledger.find("d").due_at - ledger.find("d").dispatched_at
    assert due == pytest.approx(timedelta(seconds=50), abs=timedelta(seconds=1))
    assert set(ALL.filter(task="").values_list("due_at", flat=True)) == {None}  # nobody publishes a group


def test_what_is_to_be_published_is_the_tasks_with_their_options():
    root, dispatches = acceptance.accept(
        action="test",
        plan=chain(group(task("a", options={"queue": "slow"}), "b")),
        parameters=None,
        requested_by=None,
    )
    assert dispatches == [
        Dispatch(ledger.find("a", root).id, "a", {"queue": "slow"}),
        Dispatch(ledger.find("b", root).id, "b", {}),
    ]


def test_a_plan_of_more_rows_than_one_insert_takes():
    root, published = ledger.accepted("first", group(*[f"t{n}" for n in range(900)]), "last")
    assert (published, ALL.filter(root=root).count()) == (["first"], 904)
    assert len(ledger.succeed("first", 1)) == 900
    members = ALL.get(root=root, kind=Kind.GROUP).children.order_by("position")
    assert [member.task for member in members] == [f"t{n}" for n in range(900)]


def test_a_first_group_of_more_rows_than_one_insert_takes():
    _, published = ledger.accepted(group(*[f"t{n}" for n in range(900)]))
    assert len(published) == 900


# Empty groups


@pytest.mark.parametrize(
    ("steps", "published", "drawn"),
    [
        ([group()], [], "ok[ok()]"),
        ([group(), group()], [], "ok[ok(), ok()]"),
        ([group(group(), group())], [], "ok[ok(ok(), ok())]"),
        ([chain(group(), group())], [], "ok[ok[ok(), ok()]]"),
        ([group(), "a"], ["a"], "pending[ok(), a claimable]"),
        ([group(), group(), "a", "b"], ["a"], "pending[ok(), ok(), a claimable, b waiting]"),
        ([group(group(), "a"), "b"], ["a"], "pending[running(ok(), a claimable), b waiting]"),
        ([group(chain(group(), "a"), "b")], ["a", "b"], "pending[running(running[ok(), a claimable], b claimable)]"),
        ([group(), group("a", group())], ["a"], "pending[ok(), running(a claimable, ok())]"),
        (["a", group()], ["a"], "pending[a claimable, pending()]"),
    ],
    ids=str,
)
def test_empty_groups_are_done_at_once(steps, published, drawn):
    root, dispatched = ledger.accepted(*steps)
    assert (dispatched, ledger.draw(root)) == (published, drawn)


def test_hundreds_of_empty_groups_in_a_row_are_done_at_once():
    root, published = ledger.accepted(*[group()] * 500, "a")
    assert published == ["a"]
    assert ALL.get(id=root).children_ok == 500


def test_an_action_of_nothing_but_empty_groups_has_run():
    row = ALL.get(id=ledger.accept(group()))
    assert (row.status, row.tasks_total, row.tasks_ok) == (Status.OK, 0, 0)
    assert row.finished_at is not None


def test_an_action_whose_first_task_comes_after_an_empty_group_runs_from_its_claim_on():
    root = ledger.accept(group(), "a")
    ledger.claim("a")
    row = ALL.get(id=root)
    assert (row.status, row.started_at is None) == (Status.RUNNING, False)


# Timing


def test_a_scheduled_action_is_published_when_its_time_comes():
    moment = in_seconds(3600)
    root, published = ledger.accepted(group("a", "b"), "c", timing=Timing(not_before=moment))
    assert published == []
    assert ledger.draw(root) == "pending[running(a delayed, b delayed), c waiting]"
    assert {(row.not_before, row.due_at) for row in ALL.filter(task__in="ab")} == {(moment, moment)}
    assert ALL.get(id=root).not_before == moment
    assert (ledger.find("c").not_before, ledger.find("c").due_at) == (None, None)
    assert claiming.claim(ledger.find("a").id, task="a", worker="w") is None
    assert waiting.take_due(10) == []


def test_a_scheduled_action_whose_time_has_come():
    root, published = ledger.accepted("a", timing=Timing(not_before=in_seconds(-1)))
    assert (published, ledger.draw(root)) == ([], "pending[a claimable]")
    assert ledger.names(waiting.take_due(10)) == ["a"]


def test_an_empty_group_does_not_bring_a_scheduled_action_forward():
    moment = in_seconds(3600)
    root, published = ledger.accepted(group(), "a", "b", timing=Timing(not_before=moment))
    assert (published, ledger.draw(root)) == ([], "pending[ok(), a delayed, b waiting]")
    row = ledger.find("a")
    assert (row.not_before, row.due_at) == (moment, moment)


def test_an_action_that_has_expired_is_not_started():
    root = ledger.accept("a", timing=Timing(expires_at=in_seconds(-1)))
    before = ledger.snapshot()
    assert claiming.claim(ledger.find("a").id, task="a", worker="w") is None
    assert ledger.snapshot() == before
    assert intervention.end_overdue(root)


def test_an_action_that_has_expired_is_not_started_after_an_empty_group():
    ledger.accept(group(), "a", timing=Timing(expires_at=in_seconds(-1)))
    assert claiming.claim(ledger.find("a").id, task="a", worker="w") is None


def test_an_action_that_has_started_in_time_goes_on():
    root = ledger.accept("a", "b", timing=Timing(expires_at=in_seconds(3600)))
    assert ALL.get(id=root).deadline_at is not None
    ledger.succeed("a")
    assert ALL.get(id=root).deadline_at is None
    ledger.succeed("b")
    assert ledger.draw(root) == "ok[a ok, b ok]"


def test_an_action_that_takes_too_long_goes_on_until_recovery_ends_it():
    root = ledger.accept("a", "b", timing=Timing(time_budget=100.0))
    ledger.succeed("a")
    ledger.change(root, deadline_at=in_seconds(-1))
    assert ledger.succeed("b") == []


def test_the_time_budget_runs_from_the_first_claim_on():
    root = ledger.accept("a", "b", timing=Timing(time_budget=100.0))
    assert ALL.get(id=root).deadline_at is None
    ledger.succeed("a")
    row = ALL.get(id=root)
    assert row.deadline_at - row.started_at == pytest.approx(timedelta(seconds=100), abs=timedelta(seconds=1))
    ledger.claim("b")
    assert ALL.get(id=root).deadline_at == row.deadline_at


# Refusals


def refused(error, *steps, **options):
    with pytest.raises(error) as refusal:
        ledger.accept(*steps, action="sync", **options)
    assert not ALL.exists()
    return str(refusal.value)


def test_parameters_that_cannot_be_kept(settings):
    settings.REPORT_MAX_PARAMETERS_BYTES = 10
    assert refused(DocumentInvalidError, "a", parameters=object()).startswith(
        "The parameters of sync cannot be written as JSON"
    )
    said = "The parameters of sync would take 11 bytes as JSON; at most 10 are allowed."
    assert refused(DocumentTooLargeError, "a", parameters="123456789") == said


def test_an_empty_plan():
    with pytest.raises(PlanInvalidError, match=r"^sync has an empty plan: its @chainable must return at least one"):
        acceptance.accept(action="sync", plan=ChainNode(()), parameters=None, requested_by=None)
    assert not ALL.exists()


def test_a_plan_of_too_many_tasks(settings):
    settings.REPORT_MAX_TASKS = 3
    assert refused(PlanTooLargeError, "a", group("b", chain("c", "d"))) == "sync has 4 tasks; one report may have 3."
    assert ledger.accept("a", group("b", "c"), group(), action="sync")
