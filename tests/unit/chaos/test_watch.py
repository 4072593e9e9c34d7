from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.watch import Watch

NAMES = ("one", "other", "broker")


@pytest.fixture
def watch() -> Watch:
    return Watch(["one", "other"])


def test_nobody_is_hindered_at_first(watch: Watch) -> None:
    assert watch.longest_calm(10, 13) == 3


def test_one_worker_that_is_left_alone_is_enough(watch: Watch) -> None:
    watch.disturb("one", 10)
    assert watch.longest_calm(10, 13) == 3


def test_what_all_need_hinders_all(watch: Watch) -> None:
    watch.disturb("broker", 11)
    assert watch.longest_calm(10, 20) == 1
    watch.calm("broker", 13)
    assert watch.longest_calm(10, 20) == 7


def test_two_workers_do_not_make_one(watch: Watch) -> None:
    watch.disturb("one", 14)
    watch.disturb("other", 5)
    watch.calm("other", 15)
    # One was alone for four seconds, then the other for five.
    assert watch.longest_calm(10, 20) == 5


def test_a_moment_is_enough(watch: Watch) -> None:
    watch.flicker("broker", 14)
    assert watch.longest_calm(10, 20) == 6


def test_a_moment_within_an_absence_changes_nothing(watch: Watch) -> None:
    watch.disturb("broker", 12)
    watch.flicker("broker", 13)
    watch.calm("broker", 14)
    assert watch.longest_calm(10, 20) == 6


def test_a_worker_that_is_killed_while_it_is_frozen_is_hindered_until_it_is_back(watch: Watch) -> None:
    watch.disturb("broker", 12)
    watch.disturb("broker", 13)
    watch.calm("broker", 18)
    assert watch.longest_calm(10, 20) == 2


def test_what_is_not_hindered_stays_so(watch: Watch) -> None:
    watch.calm("one", 12)
    assert watch.longest_calm(10, 20) == 10


def test_what_was_before_does_not_count(watch: Watch) -> None:
    watch.disturb("broker", 1)
    watch.calm("broker", 2)
    watch.disturb("broker", 30)
    assert watch.longest_calm(10, 20) == 10


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 40), st.integers(0, 10)), max_size=8))
def test_it_is_what_counting_moments_gives(absences: list[tuple[str, int, int]]) -> None:
    watch = Watch(["one", "other"])
    away: dict[str, set[int]] = {name: set() for name in NAMES}
    ends = dict.fromkeys(NAMES, -1)
    for name, begin, length in sorted(absences, key=lambda absence: absence[1]):
        if begin <= ends[name]:
            continue  # it is away already
        watch.disturb(name, begin)
        watch.calm(name, begin + length + 1)
        away[name] |= set(range(begin, begin + length + 1))
        ends[name] = begin + length + 1
    runs = [_longest_run(away[name] | away["broker"], range(10, 30)) for name in ("one", "other")]
    assert isclose(watch.longest_calm(10, 30), max(runs))


def _longest_run(away: set[int], moments: range) -> int:
    longest = run = 0
    for moment in moments:
        run = 0 if moment in away else run + 1
        longest = max(longest, run)
    return longest
