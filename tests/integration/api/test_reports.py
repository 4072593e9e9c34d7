"""GET /reports/<id>, GET /reports/<id>/tasks and GET /reports, on reports that no worker touches."""

import re
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group, Permission

from reports.models import AsyncActionReport, Status
from tests.integration.api.ledger import A_GROUP, TWO_STEPS

SUMMARY_KEYS = (
    *("id", "kind", "action", "idempotency_key", "status", "progress", "tasks", "retries", "error"),
    *("created_at", "not_before", "deadline_at", "started_at", "finished_at", "queued_seconds", "run_seconds"),
    *("links", "parameters"),
)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
KEYS = (*SUMMARY_KEYS, "errors", "result")


def get(client, path, status=200):
    response = client.get(path)
    assert response.status_code == status, response.content
    return response.json()


def permit(client, codename):
    client.user.user_permissions.add(Permission.objects.get(codename=codename))


def problem_code(client, path, status):
    response = client.get(path)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    return response.json()["code"]


class TestOneReport:
    def test_a_pending_report_says_when_to_ask_again(self, ada, ledger):
        report = ledger.accept()

        response = ada.get(f"/reports/{report}")

        assert response.headers["Retry-After"] == "1"
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers["Cache-Control"] == "private, no-cache"
        body = response.json()
        assert tuple(body) == KEYS
        assert datetime.fromisoformat(body.pop("created_at")).tzinfo is not None
        assert body == {
            "id": str(report),
            "kind": "action",
            "action": "sync-invoices",
            "idempotency_key": None,
            "status": "pending",
            "progress": None,
            "tasks": {"total": 2, "ok": 0},
            "retries": 0,
            "error": None,
            "not_before": None,
            "deadline_at": None,
            "started_at": None,
            "finished_at": None,
            "queued_seconds": None,
            "run_seconds": None,
            "links": {
                "self": f"/reports/{report}",
                "tasks": f"/reports/{report}/tasks",
                "events": f"/reports/{report}/events",
                "cancel": f"/reports/{report}/cancel",
            },
            "errors": [],
            "parameters": {"customer_id": "cus_ada"},
            "result": None,
        }

    def test_a_running_report_counts_its_tasks(self, ada, ledger):
        report = ledger.accept()
        ledger.succeed(report, ["a row"])

        response = ada.get(f"/reports/{report}")

        assert response.headers["Retry-After"] == "1"
        body = response.json()
        assert (body["status"], body["tasks"], body["result"]) == ("running", {"total": 2, "ok": 1}, None)
        assert body["started_at"].endswith("Z")

    def test_an_ok_report_has_the_last_task_s_result(self, ada, ledger):
        report = ledger.accept()
        ledger.succeed(report, ["a row"], {"stored": 1, "totals": {"EUR": "1.00"}})

        response = ada.get(f"/reports/{report}")

        assert "Retry-After" not in response.headers
        body = response.json()
        assert (body["status"], body["result"]) == ("ok", {"stored": 1, "totals": {"EUR": "1.00"}})
        assert body["finished_at"] >= body["started_at"] >= body["created_at"]

    def test_the_result_of_a_group_is_a_list(self, ada, ledger):
        report = ledger.accept(A_GROUP)
        ledger.succeed(report, 1, 2)

        assert get(ada, f"/reports/{report}")["result"] == [1, 2]

    def test_a_failed_report_says_what_went_wrong_and_where(self, ada, ledger):
        report = ledger.accept()
        ledger.fail(report)

        response = ada.get(f"/reports/{report}")

        assert "Retry-After" not in response.headers
        assert response.json()["status"] == "failed"
        assert response.json()["error"] == {
            "code": "gone",
            "type": "LookupError",
            "message": "No customer cus_ada.",
            "retryable": None,
            "task": "invoices.fetch",
        }

    def test_a_part_of_the_tree_is_read_by_its_own_id(self, ada, ledger):
        report = ledger.accept()
        ledger.succeed(report, ["a row"])
        first, second = get(ada, f"/reports/{report}/tasks")["items"]

        body = get(ada, first["links"]["self"])

        assert body == {**first, "result": ["a row"]}
        assert (body["kind"], body["task"], body["report"]) == ("task", "invoices.fetch", str(report))
        assert ada.get(second["links"]["self"]).headers["Retry-After"] == "1"

    def test_it_costs_one_query(self, ada, ledger, remembering, django_assert_num_queries):
        report = ledger.accept()
        ledger.succeed(report, ["a row"], {"stored": 1})
        ada.get(f"/reports/{report}")

        with django_assert_num_queries(1):
            ada.get(f"/reports/{report}")

    def test_unknown_query_parameters_are_refused(self, ada, ledger):
        assert problem_code(ada, f"/reports/{ledger.accept()}?verbose=1", 400) == "query_invalid"

    @pytest.mark.parametrize("spell", [str.upper, lambda id_: id_.replace("-", "")], ids=["upper case", "no dashes"])
    def test_its_id_may_be_spelt_in_another_way(self, ada, ledger, spell):
        report = ledger.accept()
        other = spell(str(report))

        assert get(ada, f"/reports/{other}")["links"]["self"] == f"/reports/{report}"
        assert len(get(ada, f"/reports/{other}/tasks")["items"]) == 2
        cancelled = ada.post(f"/reports/{other}/cancel", content_type="application/json")
        assert cancelled.json()["status"] == "cancelled"
        retried = ada.post(f"/reports/{other}/retry", content_type="application/json")
        assert retried.headers["Location"] == f"/reports/{report}"

    @pytest.mark.parametrize("part", ["", "/tasks", "/cancel", "/retry"])
    @pytest.mark.parametrize(
        "text", ["nonsense", "5", "%00", "01a20b65-7b60-75c0-9f812ed74f00c786", "{01a20b657b6075c09f812ed74f00c786}"]
    )
    def test_what_is_no_id_is_no_report_and_needs_a_token_all_the_same(self, ada, stranger, text, part):
        path = f"/reports/{text}{part}"
        method = "POST" if part in ("/cancel", "/retry") else "GET"

        for client, status, code in ((stranger, 401, "authentication_required"), (ada, 404, "report_not_found")):
            response = client.generic(method, path, content_type="application/json")
            assert (response.status_code, response.json()["code"]) == (status, code)

    def test_it_can_be_asked_for_its_head_alone(self, ada, ledger):
        response = ada.head(f"/reports/{ledger.accept()}")

        assert (response.status_code, response.content) == (200, b"")
        assert response.headers["Retry-After"] == "1"


class TestVisibility:
    @pytest.fixture
    def failed(self, ledger):
        report = ledger.accept()
        ledger.fail(report)
        return report

    def paths(self, report: UUID):
        task = AsyncActionReport.objects.filter(parent=report).first()
        return [f"/reports/{report}", f"/reports/{report}/tasks", f"/reports/{task.id}"]

    def test_another_s_report_looks_exactly_as_none(self, bob, failed):
        for path in self.paths(failed):
            response = bob.get(path)
            missing = uuid4()
            none = bob.get(path.replace(path.split("/")[2], str(missing)))
            assert response.status_code == none.status_code == 404
            theirs, nobodys = response.json(), none.json()
            assert theirs.pop("detail").replace(path.split("/")[2], "") == nobodys.pop("detail").replace(
                str(missing), ""
            )
            assert theirs == nobodys

    def test_another_s_reports_are_not_listed(self, ada, bob, failed):
        assert get(bob, "/reports")["items"] == []
        assert [item["id"] for item in get(ada, "/reports")["items"]] == [str(failed)]

    def test_a_client_with_the_permission_sees_everybody_s(self, client_of, failed):
        operator = client_of("operator")
        assert operator.get(f"/reports/{failed}").status_code == 404

        permit(operator, "read_all_reports")

        for path in self.paths(failed):
            assert operator.get(path).status_code == 200
        assert "traceback" not in get(operator, f"/reports/{failed}")["error"]
        assert [item["id"] for item in get(operator, "/reports")["items"]] == [str(failed)]

    def test_a_client_with_the_permission_sees_the_tracebacks_of_its_own(self, ada, bob, failed):
        for client in (ada, bob):
            permit(client, "read_tracebacks")

        error = get(ada, f"/reports/{failed}")["error"]
        task = get(ada, self.paths(failed)[2])

        assert error["traceback"] == "Traceback: secret.py"
        assert task["error"]["traceback"] == task["errors"][0]["traceback"] == "Traceback: secret.py"
        for path in (f"/reports/{failed}/tasks", "/reports"):
            assert b"secret.py" not in ada.get(path).content
        assert bob.get(f"/reports/{failed}").status_code == 404

    def test_a_group_s_permission_is_its_members(self, client_of, failed):
        operator, group = client_of("operator"), Group.objects.create(name="operators")
        group.permissions.add(Permission.objects.get(codename="read_all_reports"))
        group.user_set.add(operator.user)

        assert operator.get(f"/reports/{failed}").status_code == 200

    def test_who_may_use_the_admin_pages_sees_no_more_over_the_api(self, client_of, failed):
        person = client_of("person", is_staff=True)
        permit(person, "view_asyncactionreport")

        assert person.get(f"/reports/{failed}").status_code == 404

    def test_clients_never_see_a_traceback(self, ada, failed):
        for path in [*self.paths(failed), "/reports"]:
            assert b"secret.py" not in ada.get(path).content


class TestTasks:
    def test_the_tree_comes_flat_with_parents(self, ada, ledger):
        report = ledger.accept(A_GROUP)

        group, first, second = get(ada, f"/reports/{report}/tasks")["items"]

        assert [item["kind"] for item in (group, first, second)] == ["group", "task", "task"]
        assert group["parent"] == str(report)
        assert first["parent"] == second["parent"] == group["id"]
        assert [first["position"], second["position"]] == [0, 1]
        assert (group["task"], first["task"]) == (None, "invoices.fetch")
        assert (group["status"], first["status"]) == ("running", "pending")
        assert group["children"] == {"total": 2, "ok": 0}

    def test_failed_attempts_are_kept_without_tracebacks(self, ada, ledger):
        report = ledger.accept()
        ledger.put_off(report, TimeoutError("slow"))
        ledger.fail(report, TimeoutError("slower"))

        task, never = get(ada, f"/reports/{report}/tasks")["items"]

        assert (task["status"], task["attempts"]) == ("failed", 2)
        assert [(e["attempt"], e["code"], e["type"], e["message"]) for e in task["errors"]] == [
            (1, "gone", "TimeoutError", "slow"),
            (2, "gone", "TimeoutError", "slower"),
        ]
        for error in task["errors"]:
            assert set(error) == {"attempt", "code", "type", "message", "retryable", "task", "started_at", "failed_at"}
            assert error["started_at"] <= error["failed_at"]
            for moment in (error["started_at"], error["failed_at"], task["finished_at"]):
                assert MOMENT.fullmatch(moment), moment
        assert task["error"]["message"] == "slower"
        assert (never["status"], never["attempts"], never["error"]) == ("cancelled", 0, None)

    def test_a_retry_says_when_it_is_due(self, ada, ledger):
        report = ledger.accept()
        ledger.put_off(report, delay=60)

        task = get(ada, f"/reports/{report}/tasks")["items"][0]

        assert task["status"] == "pending"
        waits = datetime.fromisoformat(task["not_before"]) - datetime.fromisoformat(task["started_at"])
        assert 59 < waits.total_seconds() < 70

    def test_pages_follow_each_other(self, ada, ledger):
        report = ledger.accept(A_GROUP)
        whole = get(ada, f"/reports/{report}/tasks")["items"]

        first = get(ada, f"/reports/{report}/tasks?limit=2")
        second = get(ada, f"/reports/{report}/tasks?limit=2&cursor={first['next_cursor']}")

        assert first["items"] + second["items"] == whole
        assert second["next_cursor"] is None

    def test_a_cursor_at_the_end_gives_an_empty_page(self, ada, ledger):
        report = ledger.accept()
        first = get(ada, f"/reports/{report}/tasks?limit=1")
        AsyncActionReport.objects.filter(parent=report, position=1).delete()

        page = get(ada, f"/reports/{report}/tasks?limit=1&cursor={first['next_cursor']}")

        assert page == {"items": [], "next_cursor": None}

    def test_a_task_has_no_tasks_of_its_own(self, ada, ledger):
        report = ledger.accept()
        task = get(ada, f"/reports/{report}/tasks")["items"][0]

        response = ada.get(f"/reports/{task['id']}/tasks")

        assert response.status_code == 404
        assert f"part of report {report}" in response.json()["detail"]

    def test_a_page_costs_one_query(self, ada, ledger, remembering, django_assert_num_queries):
        report = ledger.accept()
        ada.get("/actions")

        with django_assert_num_queries(1):
            ada.get(f"/reports/{report}/tasks")


class TestList:
    def test_it_shows_what_was_asked_for_unless_that_is_long(self, ada, ledger):
        short, long = {"customer_id": "cus_ada"}, {"customer_id": "c" * 5_000}
        ledger.accept(parameters=short)
        report = ledger.accept(parameters=long)

        assert [item["parameters"] for item in get(ada, "/reports")["items"]] == [None, short]
        assert get(ada, f"/reports/{report}")["parameters"] == long

    def test_the_newest_comes_first_without_result(self, ada, ledger):
        reports = [ledger.accept() for _ in range(3)]
        ledger.succeed(reports[0], 1, 2)

        page = get(ada, "/reports")

        assert [item["id"] for item in page["items"]] == [str(report) for report in reversed(reports)]
        assert tuple(page["items"][0]) == SUMMARY_KEYS
        assert page["next_cursor"] is None

    def test_pages_are_stable_while_reports_arrive(self, ada, ledger):
        reports = [str(ledger.accept()) for _ in range(5)]
        first = get(ada, "/reports?limit=2")
        ledger.accept()
        second = get(ada, f"/reports?limit=2&cursor={first['next_cursor']}")
        ledger.accept()
        third = get(ada, f"/reports?limit=2&cursor={second['next_cursor']}")

        seen = [item["id"] for page in (first, second, third) for item in page["items"]]
        assert seen == list(reversed(reports))
        assert third["next_cursor"] is None

    def test_it_is_filtered_by_action_and_status(self, ada, ledger):
        failed = ledger.accept()
        ledger.fail(failed)
        pending = ledger.accept()
        other = ledger.accept(action="ensure-customer")

        def ids(query):
            return {item["id"] for item in get(ada, f"/reports?{query}")["items"]}

        assert ids("status=failed") == {str(failed)}
        assert ids("action=sync-invoices") == {str(failed), str(pending)}
        assert ids("action=ensure-customer&status=pending") == {str(other)}
        assert ids("action=no-more-there") == set()

    @pytest.mark.parametrize(
        ("query", "parameter"),
        [
            ("limit=0", "limit"),
            ("cursor=abc", "cursor"),
            ("status=done", "status"),
            ("action=%00", "action"),
            ("page=2", "page"),
            ("limit=1&limit=2", "limit"),
        ],
    )
    def test_what_is_not_understood_is_refused(self, ada, query, parameter):
        response = ada.get(f"/reports?{query}")

        assert response.status_code == 400
        problem = response.json()
        assert problem["code"] == "query_invalid"
        assert [error["parameter"] for error in problem["errors"]] == [parameter]

    def test_a_page_costs_one_query(self, ada, ledger, remembering, django_assert_num_queries):
        for _ in range(3):
            ledger.accept(TWO_STEPS)
        ada.get("/actions")

        with django_assert_num_queries(1):
            ada.get("/reports?status=pending")

    def test_every_status_can_be_filtered_by(self, ada):
        for status in Status.values:
            assert get(ada, f"/reports?status={status}")["items"] == []
