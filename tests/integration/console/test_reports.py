"""The list of reports and the page of one, without a browser: what they find, what they keep back, what they cost."""

from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model

from console import report_page, reports
from reports.models import AsyncActionReport
from reports.plan import ChainNode, GroupNode
from tests.integration.api.ledger import A_GROUP, task

LIST = "/admin/reports/asyncactionreport/"
ALL = AsyncActionReport.objects


def page_of(report):
    return f"{LIST}{report}/change/"


def details_of(report):
    return f"{LIST}{report}/details/"


def listed(browser, **query):
    """Return the ids of the reports that a search shows, and what else the page says."""
    response = browser.get(f"{LIST}?{urlencode(query, doseq=True)}")
    assert response.status_code == 200
    return [report.id for report, _ in response.context["rows"]], response.content.decode()


@pytest.fixture
def three(ledger):
    """Return reports of ada, bob and nobody: ok, failed and pending."""
    bob = get_user_model().objects.create_user("bob").pk
    ok, failed, pending = (
        ledger.accept(action="sync-invoices"),
        ledger.accept(action="ensure-customer", owner=bob),
        ledger.accept(action="sync-invoices"),
    )
    ALL.filter(root=pending).update(requested_by=None)
    ledger.succeed(ok, 1, 2)
    ledger.fail(failed)
    ALL.filter(id=failed).update(idempotency_key="the:key")
    ALL.filter(id=ok).update(filters={"customer_id": "cus_ada"})
    return {"ok": ok, "failed": failed, "pending": pending}


class TestList:
    def test_has_everybodys_reports_the_newest_first(self, viewer, three):
        found, text = listed(viewer)

        assert found == [three["pending"], three["failed"], three["ok"]]
        for words in ("ada", "bob", "ensure-customer", "gone", "2/2", "0/2"):
            assert words in text

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ({"status": "failed"}, ["failed"]),
            ({"status": ["failed", "ok"]}, ["failed", "ok"]),
            ({"action": "sync-invoices"}, ["pending", "ok"]),
            ({"action": "sync-invoices", "status": "ok"}, ["ok"]),
            ({"client": "bob"}, ["failed"]),
            ({"code": "gone"}, ["failed"]),
            ({"code": "other"}, []),
            ({"text": "the:key"}, ["failed"]),
            ({"text": "customer_id:cus_ada"}, ["ok"]),
            ({"text": "customer_id:cus_bob"}, []),
            ({"since": "2020-01-01T00:00", "until": "2030-01-01T00:00"}, ["pending", "failed", "ok"]),
            ({"until": "2020-01-01T00:00"}, []),
        ],
    )
    def test_is_searched(self, trusted, three, query, expected):
        found, text = listed(trusted, **query)

        assert found == [three[name] for name in expected]
        assert "alert" not in text

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ({"client": "nobody"}, "There is no client nobody."),
            ({"status": "lost"}, "Status: "),
            ({"since": "yesterday"}, "Since: "),
            ({"since": "0001-01-01T00:00"}, "Use a year from 1970 to 8999."),
            ({"until": "9999-12-31T23:59:59.999999"}, "Use a year from 1970 to 8999."),
            ({"text": "a\0b"}, "Text: "),
            ({"after": "x"}, "After: "),
            ({"text": str(uuid4())}, "It may have been purged."),
            ({"text": "customer_id:"}, "No report has this parameter: "),
        ],
    )
    def test_says_what_is_wrong_with_a_search_and_finds_nothing(self, trusted, three, query, words):
        found, text = listed(trusted, **query)

        assert found == []
        assert words in text

    def test_an_id_leads_to_its_report_and_that_of_a_task_to_its_place_in_it(self, viewer, three):
        for id_, fragment in (
            (three["ok"], ""),
            (child := ALL.filter(parent=three["ok"]).first().id, f"#step-{child}"),
        ):
            assert viewer.get(f"{LIST}?text={id_}").headers["Location"] == page_of(three["ok"]) + fragment

    def test_comes_in_pages_by_the_last_report_of_the_page_before(self, viewer, ledger, monkeypatch):
        monkeypatch.setattr(reports, "PAGE", 2)
        made = [ledger.accept() for _ in range(5)]

        found, query = [], {}
        while True:
            response = viewer.get(LIST, query)
            found += [report.id for report, _ in response.context["rows"]]
            if response.context["next"] is None:
                break
            query = {"after": response.context["next"]}

        assert found == made[::-1]

    def test_costs_as_many_statements_for_many_reports_as_for_one(self, viewer, ledger, django_assert_max_num_queries):
        for name in ("bob", "eve"):
            owner = get_user_model().objects.create_user(name).pk
            for _ in range(5):
                ledger.accept(owner=owner)

        # The session, the person, the person's permissions twice, the list, and the names of its clients.
        with django_assert_max_num_queries(6) as asked:
            viewer.get(LIST)
        assert not [query for query in asked.captured_queries if "COUNT(" in query["sql"]]

    def test_parameters_are_searched_by_those_alone_who_may_read_them(self, viewer, three):
        found, text = listed(viewer, text="customer_id:cus_ada")

        assert found == []
        assert "for those who may read them" in text


class TestPage:
    def test_shows_the_tree_and_why_it_failed(self, viewer, three):
        text = viewer.get(page_of(three["failed"])).content.decode()

        for words in ("ensure-customer", "bob", "the:key", "gone", "No customer cus_ada.", "invoices.fetch"):
            assert words in text
        assert "invoices.store" in text
        assert "secret.py" not in text
        assert "data-final" in text

    def test_of_a_task_leads_to_its_action(self, viewer, three):
        child = ALL.filter(parent=three["ok"]).first().id

        assert viewer.get(page_of(child)).headers["Location"] == f"{page_of(three['ok'])}#step-{child}"

    def test_the_part_that_is_live_ends_with_the_action(self, viewer, ledger):
        report = ledger.accept()
        assert "data-final" not in viewer.get(f"{LIST}{report}/live/").content.decode()

        ledger.succeed(report, 1, 2)

        text = viewer.get(f"{LIST}{report}/live/").content.decode()
        assert "data-final" in text
        assert "<html" not in text

    def test_a_large_tree_comes_in_pages_and_says_so(self, viewer, ledger, monkeypatch):
        monkeypatch.setattr(report_page, "STEPS", 4)
        report = ledger.accept(ChainNode((GroupNode((task("a"),) * 8), task("b"))))

        text, seen, query = "", [], {}
        while True:
            response = viewer.get(page_of(report), query)
            text += response.content.decode()
            seen += [line.step.id for line in response.context["lines"]]
            if response.context["next"] is None:
                break
            query = {"after": response.context["next"]}

        assert sorted(seen) == sorted(ALL.filter(root=report, parent__isnull=False).values_list("id", flat=True))
        assert "4 of a tree with 9 tasks are shown" in text

    def test_tasks_are_chosen_by_status(self, viewer, ledger):
        report = ledger.accept(A_GROUP)
        ledger.claim(report)

        response = viewer.get(page_of(report), {"status": "running"})

        assert [line.step.status.value for line in response.context["lines"]] == ["running"]
        assert dict(response.context["statuses"]) == {"pending": 1, "running": 1, "ok": 0, "failed": 0, "cancelled": 0}

    def test_a_very_large_tree_is_not_counted_again_and_again(self, viewer, ledger, monkeypatch):
        monkeypatch.setattr(report_page, "MOST_COUNTED", 1)

        response = viewer.get(page_of(ledger.accept()))

        assert {number for _, number in response.context["statuses"]} == {None}

    @pytest.mark.parametrize(
        "path", ["nothing/change/", f"{UUID(int=1)}/change/", f"{UUID(int=1)}/live/", f"{UUID(int=1)}/details/"]
    )
    def test_of_a_report_that_there_is_not(self, viewer, path):
        assert viewer.get(LIST + path).status_code == 404


class TestDetails:
    @pytest.mark.parametrize(
        ("permissions", "seen", "hidden"),
        [
            ([], ["No customer"], ["secret.py", "cus_parameter"]),
            (["read_tracebacks"], ["No customer", "secret.py"], ["cus_parameter"]),
            (["read_payloads"], ["No customer", "cus_parameter"], ["secret.py"]),
            (["read_payloads", "read_tracebacks"], ["secret.py", "cus_parameter"], ["for those who may"]),
        ],
    )
    def test_show_what_a_person_may_read(self, person_with, ledger, permissions, seen, hidden):
        browser = person_with("view_asyncactionreport", *permissions)
        report = ledger.accept(parameters={"customer_id": "cus_parameter"})
        ledger.put_off(report)
        ledger.fail(report)
        failed = ALL.filter(parent=report).first().id
        ALL.filter(id=failed).update(arguments={"args": ["cus_parameter"], "kwargs": {}})

        text = browser.get(details_of(report)).content.decode() + browser.get(details_of(failed)).content.decode()

        assert [words for words in seen if words not in text] == []
        assert [words for words in hidden if words in text] == []
        # Nor does any other page.
        others = "".join(browser.get(path).content.decode() for path in (LIST, page_of(report), "/admin/"))
        assert "secret.py" not in others
        assert "cus_parameter" not in others

    def test_have_each_attempt(self, trusted, ledger):
        report = ledger.accept()
        ledger.put_off(report)
        ledger.put_off(report)
        waiting = ALL.filter(parent=report).first().id

        text = trusted.get(details_of(waiting), headers={"X-Requested-With": "fetch"}).content.decode()

        assert text.index("Attempt 2") < text.index("Attempt 1")
        assert "<html" not in text

    def test_results_are_cut(self, trusted, ledger, monkeypatch):
        monkeypatch.setattr(reports, "LONGEST", 10)
        report = ledger.accept()
        ledger.succeed(report, 1, "z" * 100)

        text = trusted.get(details_of(report)).content.decode()

        assert "The first 10 of 102 characters." in text
        assert "z" * 10 not in text
