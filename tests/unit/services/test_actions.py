from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction

from reports.errors import (
    DocumentInvalidError,
    PlanInvalidError,
    ReportFinalError,
    ReportNotRetryableError,
    RequestsRefusedError,
)
from reports.models import AsyncActionReport
from reports.plan import ChainNode
from reports.requests import Identity, Request, Timing
from services import actions
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group
from tests.unit.services import broker

ALL = AsyncActionReport.objects
committed = pytest.mark.django_db(transaction=True)


def request(*steps, **options):
    return actions.request("sync", chain(*steps), **{"parameters": None, "requested_by": None, **options})


def published():
    return sorted(message.task[0] for message in broker.messages())


@committed
def test_an_action_is_accepted_whole_and_its_first_tasks_are_published(empty_broker):
    client = get_user_model().objects.create(username="ada")
    root = request(group("a", "b"), "c", parameters={"n": 1}, requested_by=client.id)
    row = ALL.get(id=root)
    assert (row.action, row.parameters, row.requested_by, row.system_call) == ("sync", {"n": 1}, client, False)
    assert ledger.draw(root) == "pending[running(a claimable, b claimable), c waiting]"
    assert published() == ["a", "b"]


@committed
def test_nothing_is_published_before_it_is_committed(empty_broker):
    with transaction.atomic():
        request("a")
        assert published() == []
    assert published() == ["a"]


@committed
def test_nothing_is_published_of_what_is_not_committed(empty_broker):
    with transaction.atomic():
        request("a")
        transaction.set_rollback(True)
    assert (published(), ALL.count()) == ([], 0)


@committed
def test_an_action_is_accepted_though_the_broker_is_away(dead_broker):
    root = request("a")
    assert ledger.draw(root) == "pending[a claimable]"
    assert ledger.find("a").due_at - datetime.now(UTC) < timedelta(seconds=2)


def several(number):
    return [Request.of("sync", chain(f"t{at}"), parameters=None) for at in range(number)]


@committed
def test_several_actions_are_accepted_and_published(empty_broker):
    client = get_user_model().objects.create(username="ada")
    outcomes = actions.request_all(several(3), requested_by=client.id)
    assert [outcome.report for outcome in outcomes] == list(
        ALL.filter(parent=None).order_by("id").values_list("id", flat=True)
    )
    assert published() == ["t0", "t1", "t2"]


@committed
def test_of_several_actions_none_is_published_where_none_is_accepted(empty_broker):
    client = get_user_model().objects.create(username="ada")
    requests = [Request.of("sync", chain("a"), parameters=None, identity=Identity("k", asks)) for asks in "xy"]
    with pytest.raises(RequestsRefusedError):
        actions.request_all(requests, requested_by=client.id, all_or_nothing=True)
    assert (published(), ALL.count()) == ([], 0)


@committed
def test_a_broker_that_is_away_is_waited_for_once_for_several_actions(dead_broker, caplog):
    actions.request_all(several(50), requested_by=None)
    assert [message.startswith("Could not publish t0[") for message in caplog.messages] == [True]
    assert all(row.due_at - datetime.now(UTC) < timedelta(seconds=2) for row in ALL.exclude(task=""))


@committed
def test_a_scheduled_action_is_not_published_yet(empty_broker):
    moment = datetime.now(UTC) + timedelta(hours=1)
    root = request("a", timing=Timing(not_before=moment, time_budget=5.0), system_call=True)
    row = ALL.get(id=root)
    assert (row.not_before, row.time_budget, row.system_call, published()) == (moment, 5.0, True, [])


@pytest.mark.django_db
def test_what_cannot_be_kept_or_run_is_refused():
    with pytest.raises(DocumentInvalidError, match=r"^The parameters of sync cannot be written as JSON"):
        request("a", parameters=object())
    with pytest.raises(PlanInvalidError, match=r"^sync has an empty plan"):
        actions.request("sync", ChainNode(()), parameters=None, requested_by=None)
    assert not ALL.exists()


@committed
def test_a_cancelled_action_is_cancelled(empty_broker):
    root = request("a")
    actions.cancel(root)
    assert ledger.draw(root) == "cancelled[a cancelled]"
    with pytest.raises(ReportFinalError):
        actions.cancel(root)


@committed
def test_a_retried_action_goes_on_and_is_published(empty_broker):
    root = request("a", "b")
    ledger.succeed("a")
    ledger.fail("b")
    broker.empty()
    actions.retry(root)
    assert ledger.draw(root) == "pending[a ok, b claimable]"
    assert published() == ["b"]
    with pytest.raises(ReportNotRetryableError):
        actions.retry(root)


@committed
def test_a_retry_is_published_when_it_is_committed(empty_broker):
    root = request("a")
    ledger.fail("a")
    broker.empty()
    with transaction.atomic():
        actions.retry(root)
        transaction.set_rollback(True)
    assert (published(), ledger.draw(root)) == ([], "failed[a failed]")


@committed
def test_an_action_is_retried_though_the_broker_is_away(dead_broker):
    root = request("a")
    actions.cancel(root)
    actions.retry(root)
    assert ledger.draw(root) == "pending[a claimable]"
