import json
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest

from chaos.audit import Audit
from chaos.recovery import Recovery
from chaos.strikes import Deed
from chaos.verdict import Verdict

KEYS = [
    *("accepted", "ok", "failed", "cancelled", "lost", "unfinished", "run_twice", "overwritten", "kills"),
    *("recovery_p50_s", "recovery_p95_s", "recovery_max_s"),
]


def verdict(*, accepted: int = 4, deeds: dict[Deed, int] | None = None, **found: list[str]) -> Verdict:
    lines: dict[str, Any] = {"lost": [], "unfinished": [], "run_twice": [], "overwritten": [], **found}
    return Verdict(
        audit=Audit(**lines, counts={"ok": 2, "failed": 1, "cancelled": 1, "pending": 0, "running": 0}),
        accepted=accepted,
        unheard=3,
        errors={"worker_lost": 1},
        deeds=Counter(deeds if deeds is not None else {Deed.CHILD: 5, Deed.WEB: 2, Deed.WIPE: 1, Deed.FREEZE: 1}),
        ended_by_themselves=0,
        recoveries=[Recovery("kill", 0, seconds, seconds + 1, uuid4()) for seconds in (0.111, 2, 11)],
    )


def test_the_last_line_is_one_json_object_of_all_figures() -> None:
    figures = json.loads(str(verdict(lost=["lost: one"], run_twice=["run twice: a", "run twice: b"])).splitlines()[-1])
    assert list(figures) == KEYS
    assert list(figures.values()) == [4, 2, 1, 1, 1, 0, 2, 0, 7, 2, 11, 11]


def test_people_read_what_was_done_and_how_long_it_took() -> None:
    text = str(verdict())
    assert "7: 5 pool children, 2 web servers" in text
    assert "1 frozen workers, 1 wiped brokers" in text
    assert "failed       1: 1 worker_lost" in text
    assert "1 of 3 above 10 s" in text


def test_what_took_too_long_is_looked_into_and_no_fault() -> None:
    seen = verdict(lost=["lost: one"])
    assert seen.findings[0] == "lost: one"
    assert "recovered from after 11.00 s" in seen.findings[1]
    assert len(seen.findings) == 2


def test_it_is_good_with_four_zeros() -> None:
    assert verdict().is_good


@pytest.mark.parametrize("zero", ["lost", "unfinished", "run_twice", "overwritten"])
def test_it_is_not_good_without_one_of_them(zero: str) -> None:
    assert not verdict(**{zero: ["something"]}).is_good


def test_it_is_not_good_where_nothing_was_done() -> None:
    assert not verdict(accepted=0).is_good
    assert not verdict(deeds={}).is_good
    assert not verdict(deeds={Deed.WIPE: 1}).is_good
