from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest

from reports.database import (
    TABLE,
    as_bound,
    as_iso,
    as_parameter,
    as_uuid,
    execute,
    fetch_all,
    fetch_one,
    later,
    now,
)
from reports.models import AsyncActionReport
from reports.selectors import find
from tests.unit.reports import ledger


def test_uuids_come_back_from_either_database():
    id_ = uuid4()
    assert as_uuid(id_) is id_
    assert as_uuid(id_.hex) == as_uuid(str(id_)) == id_


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), "2026-01-02T03:04:05.678000Z"),
        (datetime(2026, 1, 2, 5, 4, 5, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T03:04:05Z"),
        ("2026-01-02 03:04:05.678", "2026-01-02T03:04:05.678Z"),
        (None, None),
        ("", None),
    ],
)
def test_moments_of_either_database_are_written_alike(moment, text):
    assert as_iso(moment) == text


@pytest.mark.django_db
def test_the_clock_is_the_database_s_and_moves_within_a_transaction():
    root = ledger.accept("a")

    def set_to(moment, *parameters):
        execute(f"UPDATE {TABLE} SET finished_at = {moment} WHERE id = %s", [*parameters, root])  # noqa: S608  our own
        return find(root, owner=None).finished_at

    first = set_to(now())
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=60)
    while set_to(now()) == first:
        pass
    assert set_to(later(), 100.5) - set_to(now()) == pytest.approx(timedelta(seconds=100.5), abs=timedelta(seconds=1))
    assert set_to(later(), -100.5) < first
    assert set_to(later("attempts + %s"), 100) > first + timedelta(seconds=99)


@pytest.mark.django_db
def test_a_moment_given_is_the_moment_read():
    root = ledger.accept("a")
    for moment in (datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)):
        execute("UPDATE reports_asyncactionreport SET finished_at = %s", [as_parameter(moment)])
        assert find(root, owner=None).finished_at == moment
        assert AsyncActionReport.objects.get(id=root).finished_at == moment
    assert as_parameter(None) is None


@pytest.mark.django_db
def test_statements_return_rows_or_how_many_they_changed():
    ledger.accept("a")
    ledger.accept("b")
    assert fetch_all("SELECT task FROM reports_asyncactionreport WHERE task <> %s ORDER BY task", [""]) == [
        ("a",),
        ("b",),
    ]
    assert fetch_one("SELECT task FROM reports_asyncactionreport WHERE task = %s", ["b"]) == ("b",)
    assert fetch_one("SELECT task FROM reports_asyncactionreport WHERE task = %s", ["c"]) is None
    assert execute("UPDATE reports_asyncactionreport SET worker = 'w' WHERE task = %s", ["a"]) == 1
    assert execute("UPDATE reports_asyncactionreport SET worker = 'w' WHERE task = %s", ["c"]) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("microseconds", [0, 1, 999, 1000, 1500, 999_999])
def test_time_stamps_of_the_clock_are_compared_exactly_with_any_moment(microseconds):
    start = datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2)))
    root = ledger.accept("a")
    for milliseconds in (0, 1, 2, 1000):
        stored = start + timedelta(milliseconds=milliseconds)
        execute(f"UPDATE {TABLE} SET finished_at = %s WHERE id = %s", [as_bound(stored), root])  # noqa: S608  our own
        moment = start + timedelta(microseconds=microseconds)
        found = fetch_all(f"SELECT id FROM {TABLE} WHERE finished_at >= %s", [as_bound(moment)])  # noqa: S608  our own
        assert bool(found) == (stored >= moment)
