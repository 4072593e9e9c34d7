from datetime import UTC, datetime, timedelta

import pytest

from console.templatetags.times import before, lasting, since, stamp

NOW = datetime(2026, 11, 24, 3, 0, 0, 123456, UTC)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, "\N{EN DASH}"),
        (-1, "0 ms"),
        (0.2404, "240 ms"),
        (3.21, "3.2 s"),
        (5, "5 s"),
        (42.4, "42 s"),
        (720, "12 min"),
        (86_400 * 3, "3 d"),
    ],
)
def test_lasting(seconds, words):
    assert lasting(seconds) == words


def test_before():
    assert before(NOW - timedelta(minutes=3), NOW) == "3 min ago"
    assert before(NOW + timedelta(hours=3), NOW) == "in 3 h"
    assert before(None, NOW) == "\N{EN DASH}"


def test_since():
    assert since(NOW, NOW - timedelta(seconds=5)) == "5 s"
    assert since(NOW, None) == since(None, NOW) == "\N{EN DASH}"


def test_stamp():
    assert stamp(NOW) == "2026-11-24 03:00:00.123 UTC"
