"""The query parameters of a schedule: each bound, each contradiction, and what becomes of them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api import timing
from api.problems import ProblemError
from api.timing import LONGEST_SECONDS, timing_of
from reports.requests import ANY_TIME, Timing

NOW = datetime(2026, 11, 24, 8, 0, 0, 250_000, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True, scope="module")
def _clock():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "read_clock", lambda: NOW)
        yield


def read(**query):
    return timing_of(query, time_budget=None)


def refusal(**query):
    with pytest.raises(ProblemError) as caught:
        read(**query)
    assert caught.value.type.code == "query_invalid"
    [error] = caught.value.errors
    assert error["detail"]
    return error["parameter"], error["code"]


def test_without_parameters_it_runs_at_any_time_and_the_clock_is_not_asked(monkeypatch):
    monkeypatch.delattr(timing, "read_clock")

    assert read() == ANY_TIME
    assert timing_of({}, time_budget=2.5) == Timing(time_budget=2.5)


def test_seconds_count_from_the_database_s_now():
    assert read(delay="90", expires_in="120") == Timing(NOW + 90 * SECOND, NOW + 120 * SECOND)
    assert read(delay=str(LONGEST_SECONDS)).not_before == NOW + LONGEST_SECONDS * SECOND


@given(
    moment=st.datetimes(datetime(2026, 11, 25), datetime(2031, 11, 20)),  # noqa: DTZ001  the offset comes next
    offset=st.integers(-23 * 60 - 59, 23 * 60 + 59),
)
def test_a_time_is_read_with_its_offset(moment, offset):
    aware = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assume(NOW < aware < NOW + timedelta(seconds=LONGEST_SECONDS))

    assert read(run_at=aware.isoformat()).not_before == aware
    assert read(expires_at=aware.isoformat()).expires_at == aware


@pytest.mark.parametrize(
    "text", ["2027-01-01T00:00:00Z", "2027-01-01t00:00:00z", "2027-01-01 01:00:00.000+01:00", "2027-01-01T00:00:00.0Z"]
)
def test_each_spelling_of_rfc_3339_is_read(text):
    assert read(run_at=text).not_before == datetime(2027, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", ["run_at", "expires_at"])
@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2027-01-01", "2027-01-01T00:00:00", "20270101T000000Z", "2027-01-01T00:00Z", "1798761600"),
        *("2027-02-29T00:00:00Z", "2027-01-01T24:00:01Z", "2027-01-01T00:00:60Z", "2027-01-01T00:00:00+24:00"),
        *("2027-01-01T00:00:00 01:00", "2027-W01-1T00:00:00Z", "2027-01-01T00:00:00Z\n", "２027-01-01T00:00:00Z"),  # noqa: RUF001
        "2027-01-01T00:00:00+01:00:30",
    ],
)
def test_what_is_no_time_is_refused(name, text):
    assert refusal(**{name: text}) == (name, "invalid")


@pytest.mark.parametrize("name", ["delay", "expires_in"])
@pytest.mark.parametrize(
    "text",
    ["", "-1", "1.5", "1e3", " 5", "+5", "５", "5\n", "P1D", "9" * 50, str(LONGEST_SECONDS + 1)],  # noqa: RUF001
)
def test_what_is_no_number_of_seconds_is_refused(name, text):
    assert refusal(**{name: text}) == (name, "invalid")


@pytest.mark.parametrize(
    "text", ["2031-12-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999-23:59"]
)
def test_what_is_too_far_ahead_is_refused(text):
    assert refusal(run_at=text) == ("run_at", "too_late")
    assert refusal(expires_at=text) == ("expires_at", "too_late")


@pytest.mark.parametrize("text", ["2026-11-24T07:58:59Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59"])
def test_what_has_passed_is_refused(text):
    assert refusal(run_at=text) == ("run_at", "in_the_past")
    assert refusal(expires_at=text) == ("expires_at", "in_the_past")


def test_a_time_that_has_just_passed_means_now():
    assert read(run_at="2026-11-24T07:59:01Z") == read(delay="0") == Timing()
    assert refusal(expires_at="2026-11-24T08:00:00Z") == ("expires_at", "in_the_past")
    assert refusal(expires_in="0") == ("expires_in", "in_the_past")


def test_both_ways_to_say_it_are_refused():
    assert refusal(run_at="2027-01-01T00:00:00Z", delay="5") == ("delay", "contradictory")
    assert refusal(expires_at="2027-01-01T00:00:00Z", expires_in="5") == ("expires_in", "contradictory")


@pytest.mark.parametrize("end", ["59", "60"])
def test_it_may_not_expire_before_it_may_run(end):
    assert refusal(delay="60", expires_in=end) == ("expires_in", "too_early")
    assert read(delay="60", expires_in="61").expires_at == NOW + 61 * SECOND
