from collections import Counter

import pytest

from chaos.strikes import KILLS, Deed, plan

SECONDS = 3_000


def test_one_seed_is_one_plan() -> None:
    assert list(plan(7, SECONDS)) == list(plan(7, SECONDS))


def test_other_seeds_are_other_plans() -> None:
    assert list(plan(7, SECONDS)) != list(plan(8, SECONDS))


@pytest.mark.parametrize("seed", range(5))
def test_a_longer_run_begins_like_a_shorter_one(seed: int) -> None:
    short = list(plan(seed, 60))
    assert short == list(plan(seed, SECONDS))[: len(short)]
    assert all(strike.at < 60 for strike in short)


@pytest.mark.parametrize("seed", range(5))
def test_strikes_are_in_the_order_of_time_and_of_every_kind(seed: int) -> None:
    strikes = list(plan(seed, SECONDS))
    assert strikes == sorted(strikes, key=lambda strike: strike.at)
    done = Counter(strike.deed for strike in strikes)
    assert set(done) == set(Deed)
    # A few minutes, several times, make a thousand kills.
    assert sum(done[deed] for deed in KILLS) > SECONDS


@pytest.mark.parametrize("seed", range(5))
def test_a_worker_is_frozen_for_longer_than_a_lease_or_for_less(seed: int) -> None:
    frozen = [strike.for_seconds for strike in plan(seed, SECONDS) if strike.deed == Deed.FREEZE]
    assert min(frozen) < 5 < max(frozen) <= 10
