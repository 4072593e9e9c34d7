"""Requests with keys: one report for each key of a client, whoever repeats them and when."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model

from reports import acceptance, repeats
from reports.acceptance import Accepted
from reports.errors import IdempotencyKeyReusedError, RequestsRefusedError
from reports.models import AsyncActionReport
from reports.purging import purge_batch
from reports.requests import ANY_TIME, Identity, Request, Timing
from tests.unit.reports import ledger
from tests.unit.reports.plans import chain, group
from tests.unit.reports.rush import at_once

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects
together = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada():
    return get_user_model().objects.create(username="ada").id


def request(key=None, *steps, asks="for this", timing=ANY_TIME):
    identity = Identity(key, asks) if key else None
    return Request.of(
        "sync", chain(*(steps or ["a", "b"])), parameters={"asks": asks}, timing=timing, identity=identity
    )


def accept(client, *requests, all_or_nothing=False):
    outcomes, dispatches = acceptance.accept_all(requests, requested_by=client, all_or_nothing=all_or_nothing)
    return outcomes, ledger.names(dispatches)


def roots():
    return list(ALL.filter(parent=None).order_by("id"))


def test_a_key_is_kept_with_what_was_asked_for(ada):
    [accepted], _ = accept(ada, request("k"))

    row = ALL.get(id=accepted.report)
    assert (row.idempotency_key, row.fingerprint, row.requested_by_id) == ("k", "for this", ada)
    assert set(ALL.exclude(id=row.id).values_list("idempotency_key", "fingerprint")) == {(None, None)}


def test_a_repeated_request_has_the_report_that_it_had(ada):
    [first], published = accept(ada, request("k"))
    before = ledger.snapshot()

    [again], published_again = accept(ada, request("k"))

    assert again == Accepted(first.report, repeated=True)
    assert (published, published_again) == (["a"], [])
    assert ledger.snapshot() == before


def test_also_when_it_is_finished(ada):
    [first], _ = accept(ada, request("k", "a"))
    ledger.succeed("a")

    assert accept(ada, request("k", "a"))[0] == [Accepted(first.report, repeated=True)]


def test_something_else_with_the_same_key_is_refused(ada):
    accept(ada, request("k"))
    before = ledger.snapshot()

    [refused], published = accept(ada, request("k", asks="for that"))

    assert isinstance(refused, IdempotencyKeyReusedError)
    assert str(refused).startswith("The key k stands for another request: ")
    assert (published, ledger.snapshot()) == ([], before)


def test_keys_are_the_client_s_own(ada):
    bob = get_user_model().objects.create(username="bob").id

    outcomes = [accept(client, request("k", asks=asks))[0][0] for client, asks in ((ada, "x"), (bob, "y"), (None, "z"))]

    assert [outcome.repeated for outcome in outcomes] == [False] * 3
    assert len(roots()) == 3


def test_requests_without_a_key_are_never_one(ada):
    outcomes, _ = accept(ada, request(), request())
    accept(ada, request())

    assert outcomes[0] != outcomes[1]
    assert len(roots()) == 3


def test_many_are_accepted_in_their_order(ada):
    keys = ["z", None, "a", "m", None]

    outcomes, published = accept(ada, *(request(key, "a", asks=str(at)) for at, key in enumerate(keys)))

    assert [row.id for row in roots()] == [outcome.report for outcome in outcomes]
    assert [(row.idempotency_key, row.parameters) for row in roots()] == [
        (key, {"asks": str(at)}) for at, key in enumerate(keys)
    ]
    assert published == ["a"] * 5
    assert [ledger.draw(row.id) for row in roots()] == ["pending[a claimable]"] * 5


def test_more_than_one_statement_takes(ada):
    outcomes, published = accept(ada, *(request(f"k{n}", "a") for n in range(900)))

    assert len({outcome.report for outcome in outcomes}) == len(published) == 900
    again, published = accept(ada, *(request(f"k{n}", "a") for n in reversed(range(900))))
    assert [outcome.report for outcome in again] == [outcome.report for outcome in reversed(outcomes)]
    assert (published, ALL.count()) == ([], 1800)


def test_twins_among_many_have_one_report(ada):
    one, twin, other, third = accept(
        ada, request("k", "a"), request("k", "a"), request("k", "a", asks="for that"), request("l", "a")
    )[0]

    assert (one.repeated, twin) == (False, Accepted(one.report, repeated=True))
    assert isinstance(other, IdempotencyKeyReusedError)
    assert [row.id for row in roots()] == [one.report, third.report]


def test_all_or_nothing(ada):
    [first], _ = accept(ada, request("k"))
    before = ledger.snapshot()

    with pytest.raises(RequestsRefusedError) as refused:
        accept(ada, request("new"), request("k"), request("k", asks="for that"), all_or_nothing=True)

    new, repeated, reused = refused.value.outcomes
    assert (new.repeated, repeated) == (False, Accepted(first.report, repeated=True))
    assert isinstance(reused, IdempotencyKeyReusedError)
    assert ledger.snapshot() == before
    assert len(accept(ada, request("new"), request("k"), all_or_nothing=True)[0]) == 2


def test_each_runs_when_it_may(ada):
    moment = datetime.now(UTC) + timedelta(hours=1)
    later, expires = Timing(not_before=moment), Timing(expires_at=moment)

    outcomes, published = accept(
        ada,
        request(None, "a", timing=later),
        request(None, "b", timing=expires),
        request(None, group(), "c", timing=later),
    )

    assert published == ["b"]
    drawn = [ledger.draw(outcome.report) for outcome in outcomes]
    assert drawn == ["pending[a delayed]", "pending[b claimable]", "pending[ok(), c delayed]"]
    rows = [(row.not_before, row.deadline_at) for row in roots()]
    assert rows == [(moment, None), (None, moment), (moment, None)]


def test_a_purged_report_frees_its_key(ada):
    [first], _ = accept(ada, request("k", "a"))
    ledger.succeed("a")
    ledger.change(first.report, finished_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert purge_batch(older_than=60) == 1

    [again], published = accept(ada, request("k", "a", asks="for that"))

    assert (again.repeated, published) == (False, ["a"])
    assert again.report != first.report


def test_a_report_that_is_purged_while_its_request_is_repeated_frees_its_key_as_well(ada, monkeypatch):
    [first], _ = accept(ada, request("k", "a"))
    find = repeats.find

    def find_too_late(client, keys):
        ALL.filter(root=first.report).delete()
        return find(client, keys)

    monkeypatch.setattr(repeats, "find", find_too_late)

    [again], published = accept(ada, request("k", "a"))

    assert (again.repeated, published) == (False, ["a"])
    assert [row.id for row in roots()] == [again.report]


def test_what_is_known_of_some_requests(ada):
    [first], _ = accept(ada, request("k"))
    known, reused, new = Identity("k", "for this"), Identity("k", "for that"), Identity("l", "for this")

    assert repeats.find_repeated(ada, [known, reused, new]) == {known: first.report}
    assert repeats.find_repeated(ada + 1, [known]) == {}


def test_nothing_is_asked_about_no_requests(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert repeats.find_repeated(1, []) == {}


# At the same moment


@together
@pytest.mark.parametrize("round_", range(5))
def test_of_twins_at_the_same_moment_one_is_accepted(ada, round_):
    results = at_once(*[lambda: accept(ada, request("k"))] * 4)

    outcomes = [outcome for [outcome], _ in results]
    assert sorted(outcome.repeated for outcome in outcomes) == [False, True, True, True]
    assert {outcome.report for outcome in outcomes} == {row.id for row in roots()}
    assert sorted(published for _, published in results) == [[], [], [], ["a"]]


@together
@pytest.mark.parametrize("round_", range(5))
def test_of_two_that_ask_for_something_else_at_the_same_moment_one_is_accepted(ada, round_):
    [[one], _], [[other], _] = at_once(
        lambda: accept(ada, request("k", asks="for this")), lambda: accept(ada, request("k", asks="for that"))
    )

    assert {type(one), type(other)} == {Accepted, IdempotencyKeyReusedError}
    assert len(roots()) == 1


@together
@pytest.mark.parametrize("round_", range(5))
def test_many_twins_in_opposite_orders_do_not_wait_for_each_other(ada, round_):
    keys = [f"k{uuid4()}" for _ in range(450)]

    results = at_once(
        lambda: accept(ada, *(request(key, "a") for key in keys)),
        lambda: accept(ada, *(request(key, "a") for key in reversed(keys))),
    )

    (forward, _), (backward, _) = results
    assert [outcome.report for outcome in forward] == [outcome.report for outcome in reversed(backward)]
    assert len(roots()) == 450
    assert max(len(published) for _, published in results) == 450
