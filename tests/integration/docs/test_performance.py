"""The figures of docs/performance.md are those of the last `make bench`."""

import json

import pytest

from benchmarks.page import PAGE, table, written

RESULTS = PAGE.parent.parent / "benchmarks" / "results.json"

pytestmark = pytest.mark.once


def test_the_page_has_the_results_of_the_last_run():
    text = PAGE.read_text()
    results = json.loads(RESULTS.read_text())

    assert not results["quick"]
    assert table(results) in text
    assert written(text, results) == text


def test_a_new_run_replaces_the_table_and_nothing_else():
    text = PAGE.read_text()
    results = json.loads(RESULTS.read_text())
    name, goal = next(iter(results["goals"].items()))
    changed = {**results, "goals": {name: {**goal, "median": 123.45, "reached": False}}}

    anew = written(text, changed)

    assert "| 123.45 |" in anew
    assert "**not reached**" in anew
    assert written(anew, results) == text
