"""The pictures of the operators' pages, as a browser shows them."""

import os
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.management import call_command

from reports.models import Kind, Status
from stack.web import Web
from tests.browser import Browser, browser, new_person, what_is_missing
from tests.pictures.demo import ERRORS, Demo, failed_attempt
from tests.settings import TEST_FOLDER, remove_test_folder

FOLDER = Path(settings.BASE_DIR) / "docs" / "pictures"
LIST = "/admin/reports/asyncactionreport/"


def running_tree(demo: Demo) -> UUID:
    """Add an action that runs: a task that became a group of chains, with an attempt that was tried again."""

    def at(seconds: float) -> datetime:
        return demo.now - timedelta(seconds=52 - seconds)

    root = demo.root("sync-all-invoices", Status.RUNNING, at(0), at(0.4), None, total=16, ok=8)
    listing = demo.node(
        root,
        root,
        0,
        Status.RUNNING,
        "customers.list",
        kind=Kind.CHAIN,
        called=at(0),
        started=at(0.4),
        children_total=1,
    )
    group = demo.node(
        root, listing, 0, Status.RUNNING, kind=Kind.GROUP, called=at(4.2), children_total=7, children_ok=3
    )
    plan = (
        (4.6, 9, 15),
        (4.7, 12, 17),
        (6, 14, 30),
        (9.4, 22, None),
        (12.5, 31, None),
        (15.4, None, None),
        (17.3, None, None),
    )
    for position, (start, stored, ended) in enumerate(plan):
        status = Status.OK if ended else Status.RUNNING
        chain = demo.node(
            root, group, position, status, kind=Kind.CHAIN, called=at(4.2), ended=ended and at(ended), children_total=2
        )
        rate_limited = failed_attempt(1, at(start), at(start + 5), ERRORS[1], "invoices.fetch")
        again = position == 4
        fetched = Status.OK if stored else Status.PENDING if position == 6 else Status.RUNNING
        demo.node(
            root,
            chain,
            0,
            fetched,
            "invoices.fetch",
            called=at(4.2),
            started=at(start + 10 if again else start) if position < 6 else at(start),
            ended=stored and at(stored),
            attempts=2 if again else 1,
            errors=[rate_limited] if again or position == 6 else [],
            not_before={4: at(start + 9), 6: demo.now + timedelta(seconds=60)}.get(position),
        )
        demo.node(
            root,
            chain,
            1,
            Status.OK if ended else Status.RUNNING if stored else Status.PENDING,
            "invoices.store",
            called=stored and at(stored),
            started=stored and at(stored + (6 if position == 3 else 0.6)),
            ended=ended and at(ended),
        )
    demo.node(root, root, 1, Status.PENDING, "invoices.summarise")
    return root


def failed_tree(demo: Demo) -> UUID:
    """Add an action whose second task has failed after two attempts."""
    task = "invoices.store"
    start = demo.now - timedelta(seconds=20)

    def at(seconds: float) -> datetime:
        return start + timedelta(seconds=seconds)

    root = demo.root("sync-invoices", Status.FAILED, at(0), at(0.2), at(14.1), error=ERRORS[0], total=3, ok=1)
    demo.node(root, root, 0, Status.OK, "invoices.fetch", called=at(0), started=at(0.2), ended=at(3.4))
    errors = [
        failed_attempt(1, at(3.7), at(5.2), ERRORS[1], task),
        failed_attempt(2, at(9.4), at(14.1), ERRORS[0], task),
    ]
    demo.node(
        root,
        root,
        1,
        Status.FAILED,
        task,
        called=at(3.4),
        started=at(9.4),
        ended=at(14.1),
        attempts=2,
        error=ERRORS[0],
        errors=errors,
        not_before=at(9.2),
    )
    demo.node(root, root, 2, Status.CANCELLED, "invoices.summarise", ended=at(14.1))
    return root


def take(page: Browser, name: str) -> None:
    """Write what the browser shows."""
    page.driver.save_screenshot(str(FOLDER / f"{name}.png"))


def take_main_ones(page: Browser, running: UUID, suffix: str) -> None:
    """Take those pictures that there are for each of both themes."""
    page.open("/admin/")
    page.log_in("operator", "operator")
    page.wait_for("#workers")
    take(page, f"dashboard{suffix}")
    page.driver.set_window_size(1440, 1330)
    page.open(f"{LIST}{running}/change/")
    page.wait_for("#steps summary")
    take(page, f"timeline{suffix}")


def take_others(page: Browser, failed: UUID) -> None:
    """Take all other pictures."""
    page.driver.set_window_size(1440, 1000)
    page.open(LIST)
    page.wait_for("#reports")
    take(page, "reports")
    page.open(f"{LIST}{failed}/change/")
    page.wait_for("#steps summary", "invoices.store").click()
    page.wait_for("#steps pre")
    take(page, "failure")


def main() -> int:
    """Fill a database of its own, start a web server, and take the pictures. Returns an exit code."""
    if missing := what_is_missing():
        sys.stderr.write(f"{missing}.\n")
        return 1
    FOLDER.mkdir(exist_ok=True)
    call_command("migrate", verbosity=0)
    new_person("operator", "operator", is_superuser=True)
    demo = Demo()
    demo.fill()
    running, failed = running_tree(demo), failed_tree(demo)
    demo.write()
    try:
        _take_all(running, failed)
    finally:
        remove_test_folder()
    return 0


def _take_all(running: UUID, failed: UUID) -> None:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "RECOVERY_LEASE": "600"}
    with Web(environment, log=TEST_FOLDER / "web.log") as web:
        for suffix, dark in (("", False), ("-dark", True)):
            profile = TEST_FOLDER / f"browser{suffix}"
            with browser(web.url, profile, dark=dark) as page:
                take_main_ones(page, running, suffix)
                if not dark:
                    take_others(page, failed)
            shutil.rmtree(profile, ignore_errors=True)
