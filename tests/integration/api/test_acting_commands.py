"""``manage.py cancel_reports`` and ``retry_reports``: what they say, what they change, what they write down."""

import os
import pwd
from io import StringIO
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command, load_command_class

from api.management import intervening
from reports.models import AsyncActionReport, Intervention, Status
from testing.runs import Run
from testing.workbench import Workbench
from tests.unit.reports import ledger

pytestmark = pytest.mark.django_db

ALL = AsyncActionReport.objects
ME = pwd.getpwuid(os.getuid()).pw_name


def run(*arguments):
    """Run a command as an operator does. Returns what it prints, line by line."""
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue().splitlines()


def refusal(*arguments):
    with pytest.raises(CommandError) as error:
        run(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture
def failed():
    """Reports that failed, of two actions."""
    roots = [ledger.accept("a", action=f"action-{n % 2}") for n in range(4)]
    for root in roots:
        ledger.fail("a", root=root)
    return roots


@pytest.fixture
def working(monkeypatch):
    """A worker, for as long as a command waits."""

    def work(_):
        workbench = Workbench()
        workbench._runs = [Run(root.id) for root in ALL.filter(parent=None, system_call=True)]
        workbench.work(1)

    monkeypatch.setattr(intervening.time, "sleep", work)


class TestWithoutYes:
    def test_it_counts_shows_some_and_changes_nothing(self, failed):
        before = ledger.snapshot()
        first, *examples, last = run("retry_reports", "--action", "action-0")
        assert first == "Reports to retry: 2."
        assert [line.split()[:3] for line in examples] == [[str(root), "action-0", "failed"] for root in failed[::2]]
        assert last == "Nothing was changed; --yes does it."
        assert examples[0].endswith("  broken")
        assert ledger.snapshot() == before
        assert not Intervention.objects.exists()

    def test_by_ids(self, failed):
        before = ledger.snapshot()
        example, last = run("retry_reports", str(failed[1]))
        assert example.split()[:3] == [str(failed[1]), "action-1", "failed"]
        assert last == "Nothing was changed; --yes does it."
        assert ledger.snapshot() == before


class TestWithYes:
    def test_each_id_is_acted_on_at_once(self, failed):
        waiting = ledger.accept("b")
        out = StringIO()
        ids = [str(failed[0]), str(waiting)]
        with pytest.raises(CommandError, match=r"^Refused: 1 of 2\.$"):
            call_command("retry_reports", *ids, "--yes", "--as", "ada", "--reason", "It is there again.", stdout=out)
        assert out.getvalue().splitlines() == [
            f"{failed[0]}  done",
            f"{waiting}  refused  The action is pending; only a failed or cancelled one is retried.",
        ]
        assert ALL.get(id=failed[0]).status == Status.PENDING
        entries = Intervention.objects.order_by("id").values_list("who", "source", "verb", "refused", "reason")
        assert list(entries) == [
            (f"{ME} as ada", "command", "retry", "", "It is there again."),
            (f"{ME} as ada", "command", "retry", "report_not_retryable", "It is there again."),
        ]

    def test_what_matches_is_acted_on_by_an_operation(self, failed, working):
        lines = run("retry_reports", "--action", "action-1", "--error-code", "broken", "--yes", "--wait")
        [operation] = Intervention.objects.filter(part_of=None)
        assert lines[0] == "Reports to retry: 2."
        assert lines[1] == f"retry-reports does it: report {operation.report}."
        assert lines[2] == "No worker is alive. It begins as soon as one is."
        assert lines[-1] == "Matched: 2, changed: 2, refused: 0."
        assert [ALL.get(id=root).status for root in failed] == ["failed", "pending"] * 2
        assert (operation.who, operation.search["error_code"]) == (ME, "broken")

    def test_what_there_is_no_room_for_is_told_in_one_line(self, failed, settings):
        settings.REPORT_MAX_WAITING = 4
        told = refusal("retry_reports", *map(str, failed), "--yes")
        assert told.startswith(
            f"2 of 4 were not retried, {failed[2]} and those after it: about 2 tasks or more wait for workers"
        )
        assert [ALL.get(id=root).status for root in failed] == ["pending"] * 2 + ["failed"] * 2

    @pytest.mark.parametrize(("message", "line"), [("", "2 of 4"), ("It waits.", "2 of 4. It waits.")])
    def test_how_far_it_is_is_told_with_what_it_waits_for(self, message, line):
        assert intervening._said({"current": 2, "total": 4, "message": message}) == line

    def test_nobody_waits_without_being_told_to(self, failed):
        assert len(run("retry_reports", "--all", "--yes")) == 3
        assert [ALL.get(id=root).status for root in failed] == ["failed"] * 4

    def test_nothing_to_do_is_no_operation(self, failed):
        assert run("cancel_reports", "--all", "--yes")[0] == "Reports to cancel: 0."
        assert not Intervention.objects.exists()

    def test_an_operation_that_does_not_end_well_says_so(self, failed, monkeypatch):
        def cancel(_):
            for root in ALL.filter(parent=None, system_call=True, status=Status.PENDING):
                call_command("cancel_reports", str(root.id), "--yes", stdout=StringIO())

        monkeypatch.setattr(intervening.time, "sleep", cancel)
        assert refusal("retry_reports", "--all", "--yes", "--wait") == "The operation is cancelled."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Say which reports: by their ids, or by what is true of them; --all is all of them."),
        (["nonsense"], "nonsense is no id of a report."),
        (["--client", "nobody"], "There is no client nobody."),
        (["--created-after", "monday"], "--created-after: Use RFC 3339 with an offset, such as 2026-11-24T08:00:00Z."),
        (["--action", "No Name"], "--action: This is no action's name."),
        (["--parameter", "a:b"], "--parameter: Give the action as well, one that there is."),
        (["--status", "ok"], "To cancel what is ok changes nothing; choose what is pending or running."),
        (["--action", "retry-reports"], "retry-reports is an operation itself; cancel or retry it by its id."),
        (["--all", "--reason", "x" * 501], "--reason has more than 500 characters."),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(arguments, message):
    assert refusal("cancel_reports", *arguments, "--yes").startswith(message)
    assert not Intervention.objects.exists()


@pytest.mark.parametrize("arguments", [[], ["--yes"]])
def test_the_shell_is_told_in_one_line_too(arguments, capfd):
    with pytest.raises(SystemExit) as end:
        load_command_class("api", "cancel_reports").run_from_argv(["manage.py", "cancel_reports", "xyz", *arguments])
    assert end.value.code == 1
    assert capfd.readouterr().err == "CommandError: xyz is no id of a report.\n"


def test_ids_and_a_filter_are_not_given_together(failed):
    assert refusal("retry_reports", str(failed[0]), "--all").startswith("Say which reports:")
    assert refusal("retry_reports", str(uuid4())).startswith("There is no report ")


def test_the_reports_of_a_client(failed):
    ada = get_user_model().objects.create(username="ada")
    ALL.filter(id=failed[0]).update(requested_by=ada)
    first, example, _ = run("retry_reports", "--client", "ada")
    assert first == "Reports to retry: 1."
    assert str(failed[0]) in example


def test_no_client_can_ask_for_an_operation(client):
    token = run("create_token", "billing")[-1]
    for name in ("cancel-reports", "retry-reports"):
        answer = client.post(f"/actions/{name}", {}, "application/json", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 404
        answer = client.get("/actions", headers={"Authorization": f"Bearer {token}"})
        assert name not in answer.content.decode()
