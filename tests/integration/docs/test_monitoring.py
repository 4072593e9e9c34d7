"""What operators watch the service with: every number that it asks for is there, and every alert has a runbook."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.metrics.counted import REGISTRY
from services.metrics.ledger import LedgerCollector
from tests.integration.docs.page import Page, code_in

ROOT = Path(__file__).resolve().parents[3]
MONITORING = ROOT / "deploy" / "monitoring"
OPERATIONS = ROOT / "docs" / "operations.md"
RULES = [rule for group in yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
_SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}
_NAME = re.compile(r"\basync_actions_\w+")


@pytest.fixture
def families(db) -> dict[str, Any]:
    """Everything that is shown, by name."""
    return {family.name: family for family in (*REGISTRY.collect(), *LedgerCollector().collect())}


@pytest.fixture
def series(families) -> set[str]:
    return {name + suffix for name, family in families.items() for suffix in _SUFFIXES[family.type]}


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("promtool is not installed (Debian's prometheus)")
    return found


def expressions(document: Any) -> Iterator[str]:
    """Yield what a dashboard asks Prometheus for."""
    if isinstance(document, dict):
        yield from (document[key] for key in ("expr", "query") if "async_actions_" in str(document.get(key)))
        document = list(document.values())
    if isinstance(document, list):
        for item in document:
            yield from expressions(item)


def anchors() -> set[str]:
    """Return the names by which sections of the page are linked to, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", OPERATIONS.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_what_is_there_and_names_its_runbook(rule, series):
    named = set(_NAME.findall(rule["expr"]))
    assert named
    assert named <= series
    page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert ROOT / page == OPERATIONS
    assert anchor in anchors()


def test_the_dashboard_asks_for_all_that_is_there_and_nothing_else(series, families):
    asked = "\n".join(expressions(json.loads((MONITORING / "dashboard.json").read_text())))
    named = set(_NAME.findall(asked))
    assert named <= series
    unseen = {
        name
        for name, family in families.items()
        if not any(name + suffix in named for suffix in _SUFFIXES[family.type])
    }
    assert not unseen


def test_the_panels_of_the_dashboard_do_not_lie_on_each_other():
    taken: set[tuple[int, int]] = set()
    panels = json.loads((MONITORING / "dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        own = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & own, panel["title"]
        assert max(x for x, _ in own) < 24
        taken |= own


def test_the_page_tells_of_every_number(families):
    rows = Page.read(OPERATIONS).section("Metrics").rows()
    told = {code_in(name): labels for name, labels, *_ in rows}
    shown = {
        name + ("_total" if family.type == "counter" else ""): ", ".join(f"`{label}`" for label in _labels_of(family))
        for name, family in families.items()
    }
    assert told == {name: labels or "–" for name, labels in shown.items()}  # noqa: RUF001  as the page writes it


def _labels_of(family: Any) -> tuple[str, ...]:
    metric = next((own for own in REGISTRY._collector_to_names if own._name == family.name), None)
    return tuple(metric._labelnames if metric else family._labelnames)


@pytest.mark.once
@pytest.mark.parametrize(
    "arguments", [["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]], ids=["rules", "tests"]
)
def test_prometheus_understands_the_rules_and_they_do_what_their_tests_say(promtool, arguments):
    done = subprocess.run([promtool, *arguments], cwd=MONITORING, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.once
def test_every_alert_has_a_test_of_when_it_strikes():
    tests = yaml.safe_load((MONITORING / "alerts.test.yml").read_text())["tests"]
    struck = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case["exp_alerts"]}
    assert struck == {rule["alert"] for rule in RULES}
