from datetime import UTC, datetime

import pytest

from console.chart import Chart
from reports.statistics import SLICE

START = datetime(2026, 11, 24, tzinfo=UTC)
SLICES = [START + number * SLICE for number in range(10)]


def test_columns_are_as_high_as_they_count():
    chart = Chart.of(SLICES, accepted={SLICES[0]: 30, SLICES[9]: 10}, finished={SLICES[0]: 20})

    first, *_, last = chart.columns
    assert chart.top == 40
    assert (first.accepted_height, first.finished_height) == (75, 50)
    assert (last.accepted, last.accepted_height, last.finished) == (10, 25, 0)


def test_the_rate_is_that_of_the_last_whole_slices():
    even = dict.fromkeys(SLICES, 65_536)
    chart = Chart.of(SLICES, accepted={**even, SLICES[-1]: 1}, finished={SLICES[0]: 9})

    assert chart.accepted_per_minute == pytest.approx(60_000)
    assert chart.finished_per_minute == 0


def test_where_nothing_came():
    chart = Chart.of([], accepted={}, finished={})

    assert (chart.columns, chart.top, chart.accepted_per_minute) == ([], 1, 0)
