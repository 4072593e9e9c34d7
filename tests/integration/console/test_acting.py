"""Operators cancel and retry on the admin pages; viewers, and requests that nobody has confirmed, change nothing."""

import re
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import OperationalError
from django.test import Client

from reports.journal import Operator
from reports.models import AsyncActionReport, Intervention, Source, Status, Verb
from reports.search import Search
from services import interventions
from tasks import interventions as operations
from testing.runs import Run
from testing.workbench import Workbench
from tests.unit.reports.ledger import snapshot

pytestmark = pytest.mark.django_db

LIST = "/admin/reports/asyncactionreport/"
JOURNAL = "/admin/reports/intervention/"
ALL = AsyncActionReport.objects
CONFIRMED = {"confirmed": "on", "reason": "They are wanted after all."}


def browser_of(name, role, **options):
    person = get_user_model().objects.create_user(name, is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    browser = Client(**options)
    browser.force_login(person)
    return browser


@pytest.fixture
def operator():
    return browser_of("olga", "operator")


@pytest.fixture
def viewing():
    return browser_of("vic", "viewer")


@pytest.fixture
def failed(ledger):
    """Reports that failed."""
    roots = [ledger.accept() for _ in range(3)]
    for root in roots:
        ledger.fail(root)
    return roots


def statuses(*roots):
    return [ALL.get(id=root).status for root in roots]


def every_url(report):
    return [
        *(f"{LIST}{report}/{verb}/" for verb in Verb),
        *(f"{LIST}{verb}/" for verb in Verb),
        *(f"{LIST}{verb}/?status=failed" for verb in Verb),
    ]


def told(response):
    return re.sub(r"\s+", " ", response.content.decode())


class TestWhoMay:
    def test_a_viewer_may_nothing(self, viewing, failed):
        before = snapshot()
        for url in every_url(failed[0]):
            assert viewing.get(url).status_code == 403
            assert viewing.post(url, CONFIRMED).status_code == 403
            assert viewing.post(url, {**CONFIRMED, "id": str(failed[0])}).status_code == 403
        assert snapshot() == before
        assert not Intervention.objects.exists()

    def test_a_viewer_is_told_so_in_a_page_and_the_log_in_a_line(self, viewing, failed, caplog):
        answer = viewing.get(f"{LIST}{failed[0]}/retry/")
        assert answer["Content-Type"].startswith("text/html")
        page = told(answer)
        assert "Reports are cancelled and retried by operators." in page
        assert "vic has not been given the permission for it, or nobody may." in page
        [record] = [record for record in caplog.records if record.levelname != "DEBUG"]
        assert (record.levelname, record.exc_info) == ("WARNING", None)

    def test_nobody_may_without_a_login(self, failed):
        for url in every_url(failed[0]):
            assert Client().post(url, CONFIRMED).status_code == 302
        assert not Intervention.objects.exists()

    def test_the_permission_alone_is_not_enough_without_that_to_see(self, person_with, failed):
        blind = person_with("intervene")
        assert all(blind.post(url, CONFIRMED).status_code == 403 for url in every_url(failed[0]))

    def test_other_sites_may_not_send_what_the_page_sends(self, failed):
        browser = browser_of("olga", "operator", enforce_csrf_checks=True)
        before = snapshot()
        for url in every_url(failed[0]):
            assert browser.post(url, {**CONFIRMED, "id": str(failed[0])}).status_code == 403
        assert snapshot() == before

    def test_buttons_are_for_those_who_may(self, operator, viewing, failed):
        for page, button in ((LIST, f"{LIST}retry/"), (f"{LIST}{failed[0]}/change/", f"{LIST}{failed[0]}/retry/")):
            assert button in told(operator.get(page))
            assert "retry/" not in told(viewing.get(page))


class TestOne:
    def test_what_would_be_changed_is_shown_and_not_changed(self, operator, failed):
        before = snapshot()
        page = operator.get(f"{LIST}{failed[0]}/retry/")
        assert "Retry this report?" in told(page)
        assert str(failed[0]) in told(page)
        unconfirmed = operator.post(f"{LIST}{failed[0]}/retry/", {"reason": "?"})
        assert "Retry this report?" in told(unconfirmed)
        assert snapshot() == before

    def test_it_is_changed_and_written_down(self, operator, failed, ledger):
        waiting = ledger.accept()
        for root, verb in ((failed[0], "retry"), (waiting, "cancel")):
            answer = operator.post(f"{LIST}{root}/{verb}/", CONFIRMED)
            assert (answer.status_code, answer["Location"]) == (302, f"{LIST}{root}/change/")
        assert statuses(failed[0], waiting) == ["pending", "cancelled"]
        olga = get_user_model().objects.get(username="olga").pk
        entries = Intervention.objects.order_by("id").values_list(
            *("who", "account", "source", "verb", "report", "refused", "reason")
        )
        assert list(entries) == [
            ("olga", olga, "admin", "retry", failed[0], "", "They are wanted after all."),
            ("olga", olga, "admin", "cancel", waiting, "", "They are wanted after all."),
        ]

    def test_what_is_refused_is_told_and_written_down(self, operator, failed):
        answer = operator.post(f"{LIST}{failed[0]}/cancel/", CONFIRMED, follow=True)
        assert "The action is failed already; there is nothing to cancel." in told(answer)
        assert Intervention.objects.get().refused == "report_final"

    def test_there_is_no_such_action(self, operator, failed):
        task = ALL.filter(root=failed[0], kind="task")[0]
        for id_ in (uuid4(), task.id):
            assert operator.post(f"{LIST}{id_}/retry/", CONFIRMED).status_code == 404

    def test_the_page_offers_what_can_be_done(self, operator, failed, ledger):
        def offered(root):
            return re.findall(rf"{LIST}{root}/(\w+)/\"", told(operator.get(f"{LIST}{root}/live/")))

        waiting, fine = ledger.accept(), ledger.accept()
        ledger.succeed(fine, [], {})
        assert "retry" in offered(failed[0])
        assert "cancel" not in offered(failed[0])
        assert "cancel" in offered(waiting)
        assert "retry" not in offered(waiting)
        assert not {"cancel", "retry"} & set(offered(fine))


class TestTicked:
    def test_they_are_shown_then_changed(self, operator, failed):
        ids = [str(root) for root in failed[:2]]
        before = snapshot()
        page = told(operator.post(f"{LIST}retry/?status=failed", {"id": ids}))
        assert "Retry 2 reports?" in page
        assert [id_ for id_ in ids if f'name="id" value="{id_}"' in page] == ids
        assert snapshot() == before
        answer = operator.post(f"{LIST}retry/?status=failed", {"id": ids, **CONFIRMED})
        assert answer["Location"] == f"{LIST}?status=failed"
        assert statuses(*failed) == ["pending", "pending", "failed"]
        assert Intervention.objects.filter(part_of=None).count() == 2

    def test_those_that_are_refused_are_told(self, operator, failed, ledger):
        ids = [str(failed[0]), str(ledger.accept()), str(uuid4())]
        answer = told(operator.post(f"{LIST}retry/", {"id": ids, **CONFIRMED}, follow=True))
        assert "To retry: 1 done." in answer
        assert f"{ids[1]}: The action is pending; only a failed or cancelled one is retried." in answer
        assert f"There is no report {ids[2]}" in answer

    def test_those_without_room_are_told(self, operator, failed, settings):
        settings.REPORT_MAX_WAITING = 2
        answer = told(operator.post(f"{LIST}retry/", {"id": [str(root) for root in failed], **CONFIRMED}, follow=True))
        assert "To retry: 1 done." in answer
        assert f"2 of 3 were not retried, {failed[1]} and those after it" in answer
        assert statuses(*failed) == ["pending", "failed", "failed"]

    @pytest.mark.parametrize(
        ("failing_at", "words"),
        [
            (0, "the database failed. Whether it is done, the journal tells. The 2 after it were not begun"),
            (1, "To retry: 1 done."),
            (2, "the database failed. Whether it is done, the journal tells. <"),
        ],
    )
    def test_a_database_that_fails_on_the_way_leaves_word_of_what_is_done(
        self, operator, failed, failing_at, words, monkeypatch
    ):
        retry = interventions.actions.retry

        def fail_there(report):
            retry(report)
            if report == failed[failing_at]:
                raise OperationalError("server closed the connection unexpectedly")

        monkeypatch.setitem(interventions._DO, Verb.RETRY, fail_there)
        answer = told(operator.post(f"{LIST}retry/", {"id": [str(root) for root in failed], **CONFIRMED}, follow=True))
        assert re.search(words, answer)
        assert f"{failed[failing_at]}: the database failed." in answer
        assert statuses(*failed) == ["pending"] * failing_at + ["failed"] * (3 - failing_at)
        assert list(Intervention.objects.order_by("id").values_list("report", flat=True)) == failed[:failing_at]

    def test_the_log_says_at_which_report_the_database_failed(self, operator, failed, monkeypatch, logged):
        def fail(report):
            raise OperationalError("server closed the connection unexpectedly")

        monkeypatch.setitem(interventions._DO, Verb.RETRY, fail)
        operator.post(f"{LIST}retry/", {"id": [str(root) for root in failed], **CONFIRMED})
        [line] = [line for line in logged() if line["level"] == "error"]
        assert line["report"] == str(failed[0])

    @pytest.mark.parametrize(("refused", "told_of"), [(6, 6), (7, 5)])
    def test_one_more_is_told_rather_than_counted(self, operator, refused, told_of):
        ids = [str(uuid4()) for _ in range(refused)]
        answer = told(operator.post(f"{LIST}retry/", {"id": ids, **CONFIRMED}, follow=True))
        assert [id_ for id_ in ids if f"There is no report {id_}" in answer] == ids[:told_of]
        assert ("2 more were refused; the journal has them all." in answer) == (told_of < refused)

    @pytest.mark.parametrize("ids", [["nonsense"], [str(uuid4()) for _ in range(501)]])
    def test_what_is_no_id_or_too_many(self, operator, failed, ids):
        assert operator.post(f"{LIST}retry/", {"id": ids, **CONFIRMED}).status_code == 400


class TestAllThatAreFound:
    def test_they_are_counted_and_not_changed(self, operator, failed, ledger):
        ledger.accept()
        before = snapshot()
        page = told(operator.get(f"{LIST}retry/?action=sync-invoices"))
        assert "Retry 3 reports?" in page
        assert all(str(root) in page for root in failed)
        assert "0 reports?" in told(operator.get(f"{LIST}retry/?action=other"))
        assert snapshot() == before

    def test_an_operation_changes_them_and_the_browser_is_led_to_its_report(self, operator, failed, ledger):
        other = ledger.accept(action="other")
        ledger.fail(other)
        answer = operator.post(f"{LIST}retry/?action=sync-invoices", CONFIRMED)
        entry = Intervention.objects.get()
        assert answer["Location"] == f"{LIST}{entry.report}/change/"
        assert statuses(*failed) == ["failed"] * 3
        work(entry.report)
        assert statuses(*failed, other) == ["pending"] * 3 + ["failed"]
        assert Run(entry.report).expect_ok() == {"matched": 3, "changed": 3, "refused": 0}
        page = told(operator.get(answer["Location"]))
        assert "retry-reports" in page
        assert f"{JOURNAL}?report={entry.report}" in page

    def test_only_those_that_were_there_when_they_were_counted(self, operator, failed, ledger):
        page = told(operator.get(f"{LIST}retry/"))
        shown = re.search(r'name="shown" value="([^"]+)"', page)[1]
        later = ledger.accept()
        ledger.fail(later)
        ALL.filter(id=later).update(created_at=ALL.get(id=later).created_at.replace(year=2099))
        operator.post(f"{LIST}retry/", {**CONFIRMED, "shown": shown})
        assert Intervention.objects.get().search["created_before"] == shown
        work(Intervention.objects.get().report)
        assert statuses(*failed, later) == ["pending"] * 3 + ["failed"]

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("status=ok", "To retry what is ok changes nothing; choose what is failed or cancelled."),
            ("client=nobody", "Search for some reports first"),
            ("action=retry-reports", "retry-reports is an operation itself"),
        ],
    )
    def test_what_cannot_be_is_told(self, operator, failed, query, words):
        for answer in (
            operator.get(f"{LIST}retry/?{query}", follow=True),
            operator.post(f"{LIST}retry/?{query}", CONFIRMED, follow=True),
        ):
            assert words in told(answer)
        assert not Intervention.objects.exists()


class TestJournal:
    @pytest.fixture
    def operation(self, failed):
        search = Search(action="sync-invoices", filters={"customer_id": "cus_secret"}, statuses=(Status.CANCELLED,))
        operations.request(Verb.RETRY, search, Operator("olga", Source.ADMIN, reason="As agreed."))
        entry = Intervention.objects.get()
        for root in failed:
            interventions._act_once(interventions.journal.find_operation(entry.id), root)
        return entry

    def test_it_tells_what_people_did_and_in_parts_what_became_of_it(self, viewing, failed, operation):
        listed = told(viewing.get(JOURNAL))
        assert "olga" in listed
        assert str(operation.report) in listed
        assert "As agreed." in listed
        assert str(failed[0]) not in listed
        parts = told(viewing.get(f"{JOURNAL}?part_of={operation.id}"))
        assert all(str(root) in parts for root in failed)
        assert str(failed[1]) in told(viewing.get(f"{JOURNAL}?report={failed[1]}"))
        assert str(failed[0]) not in told(viewing.get(f"{JOURNAL}?report={failed[1]}"))

    def test_values_of_parameters_are_for_those_who_may_read_them(self, viewing, person_with, operation):
        page = f"{JOURNAL}{operation.id}/change/"
        assert "parameters: customer_id" in told(viewing.get(page))
        assert "cus_secret" not in told(viewing.get(page))
        trusted = person_with("view_intervention", "read_payloads")
        assert "customer_id = cus_secret" in told(trusted.get(page))

    def test_nobody_changes_it(self, admin_client, operation):
        before = list(Intervention.objects.order_by("id").values())
        for path in ("add/", f"{operation.id}/change/", f"{operation.id}/delete/"):
            assert admin_client.post(JOURNAL + path, {"who": "nobody", "post": "yes"}).status_code == 403
        assert "delete_selected" not in told(admin_client.get(JOURNAL))
        assert list(Intervention.objects.order_by("id").values()) == before

    def test_it_outlives_whom_and_what_it_names(self, viewing, operator, failed):
        operator.post(f"{LIST}{failed[0]}/retry/", CONFIRMED)
        get_user_model().objects.get(username="olga").delete()
        ALL.filter(root=failed[0]).delete()
        [entry] = Intervention.objects.all()
        for page in (JOURNAL, f"{JOURNAL}{entry.id}/change/"):
            assert "olga" in told(viewing.get(page))

    def test_it_is_not_for_everybody(self, person_with, operation):
        assert person_with("view_asyncactionreport").get(JOURNAL).status_code == 403


def work(report):
    """Run an operation to its end."""
    workbench = Workbench()
    workbench._runs.append(Run(report))
    workbench.settle()
