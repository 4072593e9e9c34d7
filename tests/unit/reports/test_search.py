"""Lists of actions' reports: every filter, in any combination, in pages, against a plain reading of all reports."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports import matches, selectors
from reports.database import TABLE, as_bound, execute
from reports.errors import SelectionInvalidError
from reports.models import AsyncActionReport, Status, Verb
from reports.search import Search
from services.selection import select
from tests.unit.reports import ledger

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 24, tzinfo=UTC)
HOUR = timedelta(hours=1)
COUNT = 60


def id_at(moment, number):
    """Return an id as a web process makes it at that moment."""
    return UUID(int=(int(moment.timestamp() * 1000) << 80) + number)


@pytest.fixture
def reports():
    """Reports of two clients, an hour apart, whose web processes had clocks that were half an hour wrong."""
    ada, bob = (get_user_model().objects.create(username=name).id for name in ("ada", "bob"))
    for n in range(COUNT):
        created = START + n * HOUR
        id_ = id_at(created + (n % 3 - 1) * HOUR / 2, n)
        status = tuple(Status)[n % 5]
        ALL.create(
            id=id_,
            root_id=id_,
            starts_with=id_,
            kind="chain",
            action=f"action-{n % 4}",
            requested_by_id=(ada, bob)[n % 7 == 0],
            status=status,
            error_code=("", "gone", "timed_out")[n % 3 if status == Status.FAILED else 0],
            filters={"customer": f"cus_{n % 3}", "count": n % 4, "is_new": n % 2 == 0} if n % 5 else None,
            idempotency_key=f"key-{n}" if n % 2 else None,
            system_call=False,
        )
        finished = None if n % 5 < 2 else as_bound(created + (n % 6) * HOUR)
        # As the database's own clock writes them.
        execute(
            f"UPDATE {TABLE} SET created_at = %s, finished_at = %s WHERE id = %s",  # noqa: S608  our own
            [as_bound(created), finished, id_],
        )
    return list(ALL.order_by("-id"))


ALL = AsyncActionReport.objects
moments = st.integers(-3, 2 * COUNT + 6).map(lambda halves: START + halves * HOUR / 2)
searches = st.builds(
    Search,
    owner=st.sampled_from([None, "ada", "bob"]),
    action=st.none() | st.sampled_from(["action-0", "action-1", "other"]),
    statuses=st.lists(st.sampled_from(Status), max_size=4).map(tuple),
    filters=st.fixed_dictionaries(
        {},
        optional={
            "customer": st.sampled_from(["cus_0", "cus_1", 'cus"9']),
            "count": st.integers(0, 4),
            "is_new": st.booleans(),
        },
    ),
    idempotency_key=st.sampled_from([None] * 9 + ["key-1"]),
    error_code=st.none() | st.sampled_from(["gone", "timed_out", "other"]),
    created_after=st.none() | moments,
    created_before=st.none() | moments,
    finished_after=st.none() | moments,
    finished_before=st.none() | moments,
    oldest_first=st.booleans(),
    but_not=st.sampled_from([(), (), ("action-1",), ("action-0", "other")]),
)


def fits(report, search):
    conditions = [
        search.owner is None or report.requested_by_id == search.owner,
        search.action is None or report.action == search.action,
        report.action not in search.but_not,
        not search.statuses or report.status in search.statuses,
        all((report.filters or {}).get(name) == value for name, value in search.filters.items()),
        search.idempotency_key is None or report.idempotency_key == search.idempotency_key,
        search.error_code is None or report.error_code == search.error_code,
        search.created_after is None or report.created_at >= search.created_after,
        search.created_before is None or report.created_at < search.created_before,
        search.finished_after is None or (report.finished_at and report.finished_at >= search.finished_after),
        search.finished_before is None or (report.finished_at and report.finished_at < search.finished_before),
    ]
    return all(conditions)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(search=searches, limit=st.integers(1, 30))
def test_pages_have_all_that_fits_and_nothing_else_in_order(reports, search, limit):
    owners = dict(get_user_model().objects.values_list("username", "id"))
    search = Search(**{**vars_of(search), "owner": owners.get(search.owner)})
    expected = [report.id for report in reports if fits(report, search)][:: -1 if search.oldest_first else 1]

    found, after = [], None
    while page := selectors.list_roots(search, limit=limit, after=after):
        assert len(page) <= limit
        found += [report.id for report in page]
        after = page[-1].id

    assert found == expected


def vars_of(search):
    return {name: getattr(search, name) for name in Search.__slots__}


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(search=searches, limit=st.integers(1, 10), arrive=st.integers(1, 5))
def test_reports_that_arrive_and_change_move_nothing_that_was_there(reports, search, limit, arrive):
    """By what does not change: the filters are those of the client and the time of creation."""
    search = Search(
        created_after=search.created_after, created_before=search.created_before, oldest_first=search.oldest_first
    )
    was_there = [report.id for report in reports if fits(report, search)][:: -1 if search.oldest_first else 1]

    found, after = [], None
    arrived = set()
    while page := selectors.list_roots(search, limit=limit, after=after):
        found += [report.id for report in page]
        after = page[-1].id
        arrived |= {ledger.accept("a") for _ in range(arrive)} if len(arrived) < 2 * limit else set()

    assert [id_ for id_ in found if id_ not in arrived] == was_there
    ALL.filter(root_id__in=arrived).delete()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(search=searches, limit=st.integers(1, 30), most=st.integers(1, 2 * COUNT))
def test_what_is_acted_on_piece_by_piece_is_what_a_list_shows(reports, search, limit, most):
    """Also where the search was written down in between, as that of an operation is."""
    owners = dict(get_user_model().objects.values_list("username", "id"))
    search = Search(**{**vars_of(search), "owner": owners.get(search.owner)})
    read = Search.of_document(orjson.loads(orjson.dumps(search.as_document())))
    assert read == search

    shown = [report.id for report in selectors.list_roots(search, limit=COUNT)]
    found, after = [], None
    while page := matches.list_ids(read, limit=limit, after=after):
        found, after = [*found, *page], page[-1]

    assert found == shown
    half = len(shown) // 2
    assert matches.list_ids(read, limit=COUNT, up_to=shown[half] if shown else None) == shown[: half + 1]
    assert matches.count(read, most=most) == min(len(shown), most)


CHANGEABLE = {Verb.CANCEL: {"pending", "running"}, Verb.RETRY: {"failed", "cancelled"}}


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(search=searches, verb=st.sampled_from(Verb))
def test_an_operation_is_for_what_a_list_shows_as_far_as_it_can_be_changed(reports, search, verb):
    owners = dict(get_user_model().objects.values_list("username", "id"))
    search = Search(**{**vars_of(search), "owner": owners.get(search.owner)})
    meant = set(search.statuses) & CHANGEABLE[verb] if search.statuses else CHANGEABLE[verb] - {"cancelled"}
    try:
        selected = select(verb, search)
    except SelectionInvalidError:
        assert not meant
        return
    shown = selectors.list_roots(search, limit=COUNT)
    there = [report for report in shown if report.status in meant and report.created_at < selected.created_before]
    assert {report.id for report in selectors.list_roots(selected, limit=COUNT)} == {report.id for report in there}
