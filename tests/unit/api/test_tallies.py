import pytest

from api import tallies
from api.tallies import Tallies

PLENTY = 5_000


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    clock = [100.0]
    monkeypatch.setattr(tallies, "monotonic", lambda: clock[0])
    return clock


def test_nobody_is_let_through_before_redis_was_asked():
    assert Tallies().let_through("ada", 1) is None


def test_who_has_plenty_left_is_let_through_for_a_moment(now):
    kept = Tallies()
    kept.note("ada", PLENTY, 3)
    assert kept.let_through("ada", 1) == (PLENTY - 1, 3)
    assert kept.let_through("ada", 10) == (PLENTY - 11, 3)
    assert kept.let_through("bob", 1) is None
    now[0] += 0.11
    assert kept.let_through("ada", 1) is None
    assert kept.uncounted("ada") == 11
    assert kept.uncounted("ada") == 0


def test_who_has_little_left_is_counted_each_time(now):
    kept = Tallies()
    kept.note("ada", 999, 0)
    assert kept.let_through("ada", 1) is None
    kept.note("ada", 1_005, 0)
    assert sum(kept.let_through("ada", 1) is not None for _ in range(100)) == 5
    assert kept.uncounted("ada") == 5


def test_those_that_came_first_are_forgotten_first(now, monkeypatch):
    monkeypatch.setattr(tallies, "_MOST", 2)
    kept = Tallies()
    for who in ("ada", "bob", "eve"):
        kept.note(who, PLENTY, 0)
    assert [kept.let_through(who, 1) is not None for who in ("ada", "bob", "eve")] == [False, True, True]
