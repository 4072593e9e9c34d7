"""An operator's night in a real browser: real web server, worker and InvoicesPlus."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reports.models import AsyncActionReport
from stack.process import wait_for
from stack.sandbox import API_KEY
from tests.browser import PATIENCE, Browser, browser, new_person, what_is_missing

# The pages' statements are tested on both databases by others, without a browser.
pytestmark = pytest.mark.once

LIST = "/admin/reports/asyncactionreport/"


@pytest.fixture
def operator(stack: Any, tmp_path: Path) -> Iterator[Browser]:
    """Return the browser of a person who may see and do everything, and who is logged in."""
    if missing := what_is_missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    new_person("operator", "at 3 a.m.", is_superuser=True)
    with browser(stack.url, tmp_path / "profile") as page:
        page.open("/admin/")
        page.log_in("operator", "at 3 a.m.")
        yield page
        # Whatever a test has done, no script has failed and nothing was forbidden.
        assert page.complaints() == []


@pytest.fixture
def faults(stack: Any) -> Iterator[Any]:
    """Return a function that switches these faults of InvoicesPlus on, in place of all others."""
    with httpx.Client(
        base_url=stack.sandbox.url, headers={"Authorization": f"Bearer {API_KEY}"}, trust_env=False
    ) as sandbox:

        def switch_on(*faults: dict[str, Any]) -> None:
            sandbox.put("/faults", json={"faults": faults}).raise_for_status()

        yield switch_on
        switch_on()


def ask(stack: Any, action: str, **parameters: Any) -> str:
    with stack.client("billing") as client:
        return str(client.post(f"/actions/{action}", json=parameters).raise_for_status().json()["id"])


def wait_until(report: str, status: str) -> None:
    assert wait_for(lambda: AsyncActionReport.objects.get(id=report).status == status, PATIENCE)


def test_finds_the_failed_report_and_reads_its_error(stack, faults, operator):
    wait_until(ask(stack, "sync-invoices", customer_id="cus_ada"), "ok")
    faults({"kind": "status", "status": 400, "path": "/customers/cus_ada/", "count": 1000})
    failed = ask(stack, "sync-invoices", customer_id="cus_ada")
    wait_until(failed, "failed")

    # Something has failed: the first page says what, once it is read anew.
    assert "sync-invoices" in operator.open_until("/admin/", "#failures").text
    # Which report it was.
    operator.follow("Reports")
    operator.wait_for("#reports")
    operator.find(".aa-chips [href*='status=failed']").click()
    operator.wait_for(".aa-on", "failed")
    assert operator.find("#reports tbody").text.count("sync-invoices") == 1
    operator.follow("sync-invoices")
    # What the client was told, and below, in the task that failed, what is not for clients.
    assert "InvoicesPlus" in operator.wait_for("#error").text
    assert operator.driver.current_url.endswith(f"{LIST}{failed}/change/")
    operator.wait_for("#steps summary", "invoices.fetch").click()
    assert "Traceback (most recent call last)" in operator.wait_for("#steps pre").text


def test_watches_an_action_until_it_is_ok(stack, operator):
    stack.worker.pause()
    try:
        report = ask(stack, "sync-invoices", customer_id="cus_ada")
        operator.open(f"{LIST}{report}/change/")
        operator.wait_for("#facts .aa-badge", "pending")
        operator.wait_for("#steps summary", "invoices.fetch").click()
        operator.wait_for("#steps pre", '"args"')
    finally:
        stack.worker.resume()

    # Nobody loads the page again, and what was open stays open.
    operator.wait_for("#facts[data-final] .aa-badge", "ok")
    operator.wait_for("#steps [open] .aa-facts", "ok")
    assert operator.driver.find_elements("css selector", ".aa-live") == []


def test_what_others_write_is_never_run(stack, operator):
    evil = '<img src=x onerror="document.title=1"><i x-init="document.title=2" x-data></i>'
    report = ask(stack, "sync-invoices", customer_id="cus_ada")
    wait_until(report, "ok")
    tree = AsyncActionReport.objects.filter(root=report)
    tree.update(error_code="evil", error_message=evil, task=evil, parameters={"name": evil}, worker=evil)

    operator.open(f"{LIST}{report}/change/")
    assert evil in operator.wait_for("#error").text
    operator.find("details.aa-fold > summary").click()
    assert "x-init" in operator.wait_for(".aa-fold pre").text
    operator.find("#steps summary").click()
    assert evil in operator.wait_for("#steps .aa-facts").text
    assert operator.driver.title not in ("1", "2")
