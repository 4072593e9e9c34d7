import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from chaos.load import Wish, wishes
from chaos.trials import Canvas, signatures_of
from tasks.canvas import plan_of

SEEDS = range(5)


def of(seed: object, number: int = 300) -> list[Wish]:
    return list(islice(wishes(f"{seed}"), number))


def deeds_in(canvas: Canvas) -> Iterator[dict[str, Any]]:
    for part in canvas[1:]:
        if isinstance(part, dict):
            yield part
        else:
            yield from deeds_in(part)


def test_one_seed_is_one_load() -> None:
    assert of(1) == of(1)
    assert of(1) != of(2)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_action_can_be_asked_for(seed: int) -> None:
    for wish in of(seed, 50):
        json.dumps(wish.canvas)
        assert plan_of(signatures_of(wish.canvas, "1")).children


@pytest.mark.parametrize("seed", SEEDS)
def test_it_is_a_mix_of_everything(seed: int) -> None:
    load = of(seed)
    text = json.dumps([wish.canvas for wish in load])
    for shape in ("work", "sequence", "group", "grow"):
        assert f'["{shape}"' in text
    deeds = {name for wish in load for found in deeds_in(wish.canvas) for name in found}
    assert deeds == {"counts", "takes", "again", "fails", "flaky", "progress", "asks", "kills"}
    assert {name for wish in load for name in wish.query} == {"delay", "expires_in"}
    assert {wish.resumes for wish in load} == {0, 1, 2}
    assert 0 < sum(wish.cancel_after is not None for wish in load) < len(load) / 4


@pytest.mark.parametrize("seed", SEEDS)
def test_every_flaky_task_passes_in_the_end(seed: int) -> None:
    assert all(found.get("flaky", 0) <= 5 for wish in of(seed) for found in deeds_in(wish.canvas))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_group_has_one_member(seed: int) -> None:
    def groups(canvas: Canvas) -> Iterator[Canvas]:
        if canvas[0] == "group":
            yield canvas
        for part in canvas[1:]:
            if isinstance(part, list):
                yield from groups(part)

    assert all(len(group) > 2 for wish in of(seed) for group in groups(wish.canvas))
