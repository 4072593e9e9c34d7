"""`manage.py actions`: what is declared, for people."""

from io import StringIO

import pytest
from celery import shared_task
from django.core.management import CommandError, call_command
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser, IsAuthenticated

from api import catalogue
from api.actions import ActionApi
from tasks.chainable import chainable


@shared_task(name="listed.read", soft_time_limit=60, retry_on_worker_lost=True)
def read():
    """Read."""


@shared_task(name="listed.write", autoretry_for=(OSError,), retry_backoff=True)
def write(x):
    """Write."""


@chainable
def copy():
    return read.s(), write.s()


class CopyFailedError(Exception):
    """It cannot be copied."""

    code = "copy_failed"


@pytest.fixture
def listed(settings, monkeypatch):
    """Return what the command prints, where there is one action more."""
    settings.ACTION_MODULES = ["api.invoices"]
    monkeypatch.setattr(catalogue, "_actions", dict(catalogue._actions))

    class CopyApi(ActionApi):
        """Copy something,
        whatever it is.

        It takes its time.
        """

        name = "copy-something"
        canvas = copy
        time_budget = 3600
        errors = (CopyFailedError,)
        restricted = True
        permission_classes = [IsAuthenticated, IsAdminUser | ~IsAuthenticated]
        InputSerializer = type("InputSerializer", (serializers.Serializer,), {})
        OutputSerializer = serializers.ListField()

    def listed(*names):
        out = StringIO()
        call_command("actions", *names, stdout=out)
        return out.getvalue()

    return listed


def test_one_action(listed, settings):
    queue = settings.TASK_DEFAULT_QUEUE
    assert listed("copy-something").splitlines() == [
        "copy-something",
        "  does         Copy something, whatever it is.",
        "  declared by  tests.unit.api.test_actions_command.listed.<locals>.CopyApi",
        (
            "  who may      IsAuthenticated and (IsAdminUser or not IsAuthenticated) and the permission"
            " request_copy_something"
        ),
        "  fails with   copy_failed",
        "  time budget  3600 s",
        f"  task          {'queue':<{len(queue)}}  time limits  worker lost",
        f"  listed.read   {queue}  soft 60 s    runs again",
        f"  listed.write  {queue}  none         fails",
        "  retries      listed.read: none by itself",
        "  retries      listed.write: 3 on OSError, after 1 s, 2 s, 4 s, … 600 s at most, or less by chance",
        "",
    ]


def test_all_actions(listed):
    headings = [line for line in listed().splitlines() if line and not line.startswith(" ")]
    assert headings == [action.name for action in catalogue.actions()]
    assert {"copy-something", "sync-invoices"} <= set(headings)


def test_one_that_is_not_there(listed):
    with pytest.raises(CommandError, match=r"^There is no action copy\. There are copy-something, ensure-customer, "):
        listed("copy")


def test_one_that_the_operator_has_restricted(listed, settings):
    assert "  who may      IsAuthenticated\n" in listed("sync-invoices")
    settings.RESTRICTED_ACTIONS = ["sync-invoices"]
    assert "  who may      IsAuthenticated and the permission request_sync_invoices\n" in listed("sync-invoices")
