"""POST /reports/<id>/cancel and /retry, on reports that no worker touches."""

from uuid import uuid4

import pytest
from rest_framework.permissions import BasePermission

from api.invoices import SyncInvoicesApi
from reports import acceptance, handover
from reports.models import AsyncActionReport
from reports.purging import purge_batch
from reports.requests import Timing
from reports.selectors import read_clock
from tests.integration.api.ledger import A_GROUP, TWO_STEPS


def problem(response, status, code):
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert response.json()["code"] == code
    return response.json()


def post(client, path, body="", content_type="application/json"):
    """POST as curl does: without a body, where none is given, and not with an empty form."""
    return client.generic("POST", path, body, content_type=content_type)


def cancel(client, report, *body):
    return post(client, f"/reports/{report}/cancel", *body)


def retry(client, report, *body):
    return post(client, f"/reports/{report}/retry", *body)


def tasks(client, report):
    return client.get(f"/reports/{report}/tasks").json()["items"]


@pytest.fixture
def published(monkeypatch, django_capture_on_commit_callbacks):
    """Return a function that calls one, and returns its answer and the names of the tasks published on commit."""

    def catch(function, *args):
        names = []
        monkeypatch.setattr("services.actions.publish", lambda some, **_: names.extend(one.task for one in some))
        with django_capture_on_commit_callbacks(execute=True):
            response = function(*args)
            assert not names
        return response, names

    return catch


class TestCancel:
    def test_the_answer_is_the_report_which_is_final(self, ada, ledger):
        report = ledger.accept()

        response = cancel(ada, report)

        assert response.status_code == 200
        assert not {"Retry-After", "Location"} & set(response.headers)
        assert response.json()["status"] == "cancelled"
        assert response.json()["finished_at"]
        assert response.json() == ada.get(f"/reports/{report}").json()
        assert [task["status"] for task in tasks(ada, report)] == ["cancelled", "cancelled"]

    def test_nothing_follows_a_task_that_was_running(self, ada, ledger):
        report = ledger.accept()
        claim = ledger.claim(report)
        assert cancel(ada, report).status_code == 200

        ledger.record(claim, ["a row"])

        fetch, store = tasks(ada, report)
        assert (fetch["status"], store["status"], store["dispatched_at"]) == ("ok", "cancelled", None)
        assert ada.get(f"/reports/{report}").json()["status"] == "cancelled"

    def test_what_was_scheduled_is_cancelled(self, ada, ledger):
        later = read_clock().replace(year=read_clock().year + 1, day=1)
        report = ledger.accept(timing=Timing(not_before=later))

        assert cancel(ada, report).json()["status"] == "cancelled"

    @pytest.mark.parametrize(
        ("end", "status"),
        [
            (lambda ledger, report: ledger.succeed(report, 1, 2), "ok"),
            (lambda ledger, report: ledger.fail(report), "failed"),
            (lambda ledger, report: ledger.cancel(report), "cancelled"),
        ],
        ids=["ok", "failed", "cancelled"],
    )
    def test_a_final_report_stays_as_it_is(self, ada, ledger, end, status):
        report = ledger.accept()
        end(ledger, report)
        before = ada.get(f"/reports/{report}").json()

        detail = problem(cancel(ada, report), 409, "report_final")["detail"]

        assert detail == f"The action is {status} already; there is nothing to cancel."
        assert ada.get(f"/reports/{report}").json() == before


class TestRetry:
    def test_only_what_is_not_ok_goes_on(self, ada, ledger, published):
        report = ledger.accept()
        ledger.succeed(report, ["a row"])
        ledger.fail(report, TimeoutError("slow"))

        response, names = published(retry, ada, report)

        assert response.status_code == 202
        assert response.headers["Location"] == f"/reports/{report}"
        assert response.headers["Retry-After"] == "1"
        body = response.json()
        assert body == ada.get(f"/reports/{report}").json()
        assert (body["status"], body["error"], body["finished_at"]) == ("pending", None, None)
        assert names == ["invoices.store"]
        ledger.succeed(report, {"stored": 1})
        assert ada.get(f"/reports/{report}").json()["status"] == "ok"
        assert [task["attempts"] for task in tasks(ada, report)] == [1, 2]

    def test_the_report_keeps_its_earlier_errors_and_counts(self, ada, ledger):
        report = ledger.accept()
        for word in ("slow", "slower"):
            ledger.fail(report, TimeoutError(word))
            assert retry(ada, report).status_code == 202

        body = ada.get(f"/reports/{report}").json()

        assert body["retries"] == 2
        assert [error.pop("failed_at") >= error.pop("started_at") for error in body["errors"]] == [True, True]
        assert body["errors"] == [
            {
                "attempt": number,
                "code": "gone",
                "type": "TimeoutError",
                "message": word,
                "retryable": None,
                "task": "invoices.fetch",
            }
            for number, word in ((1, "slow"), (2, "slower"))
        ]
        assert ada.get("/reports").json()["items"][0]["retries"] == 2

    def test_the_traceback_of_an_earlier_error_is_in_the_task_s_own_report_for_those_who_may_read_it(
        self, ada, staff, ledger
    ):
        report = ledger.accept()
        ledger.fail(report)
        retry(ada, report)

        for client in (ada, staff):
            for path in (f"/reports/{report}", "/reports", f"/reports/{report}/tasks"):
                assert b"secret.py" not in client.get(path).content
        task = tasks(ada, report)[0]["links"]["self"]
        assert b"secret.py" not in ada.get(task).content
        assert staff.get(task).json()["errors"][0]["traceback"] == "Traceback: secret.py"

    def test_a_cancelled_action_goes_on(self, ada, ledger, published):
        report = ledger.accept(A_GROUP)
        ledger.succeed(report, 1)
        assert cancel(ada, report).status_code == 200

        response, names = published(retry, ada, report)

        assert (response.status_code, response.json()["errors"], response.json()["retries"]) == (202, [], 1)
        assert names == ["invoices.fetch"]
        ledger.succeed(report, 2)
        assert ada.get(f"/reports/{report}").json()["result"] == [1, 2]

    def test_a_schedule_and_its_deadline_are_over(self, ada, ledger, published):
        now = read_clock()
        timing = Timing(
            not_before=now.replace(year=now.year + 1, day=1), expires_at=now.replace(year=now.year + 2, day=1)
        )
        report = ledger.accept(timing=timing)
        assert cancel(ada, report).json()["not_before"] is not None

        response, names = published(retry, ada, report)

        assert (response.json()["not_before"], response.json()["deadline_at"]) == (None, None)
        assert names == ["invoices.fetch"]

    @pytest.mark.parametrize(
        ("results", "status"), [((), "pending"), (("a row",), "running"), (("a row", 1), "ok")], ids=str
    )
    def test_what_has_not_failed_is_not_retried(self, ada, ledger, results, status):
        report = ledger.accept()
        ledger.succeed(report, *results)
        before = ada.get(f"/reports/{report}").json()

        detail = problem(retry(ada, report), 409, "report_not_retryable")["detail"]

        assert detail == f"The action is {status}; only a failed or cancelled one is retried."
        assert ada.get(f"/reports/{report}").json() == before

    def test_a_client_that_may_not_ask_for_the_action_any_more_may_not_retry_it(self, ada, ledger, monkeypatch):
        class Nobody(BasePermission):
            def has_permission(self, request, view):
                assert (request, request.method, type(view)) == (view.request, "POST", SyncInvoicesApi)
                return False

        report = ledger.accept()
        ledger.fail(report)
        monkeypatch.setattr(SyncInvoicesApi, "permission_classes", [Nobody])

        problem(retry(ada, report), 403, "permission_denied")

        assert ada.get(f"/reports/{report}").json()["status"] == "failed"

    def test_an_action_that_clients_cannot_ask_for_is_retried_by_its_owner(self, ada, ledger):
        report = ledger.accept(action="no-more-there")
        ledger.fail(report)

        assert retry(ada, report).status_code == 202


@pytest.mark.parametrize("intervene", [cancel, retry])
class TestBoth:
    @pytest.fixture
    def ready(self, ledger, intervene):
        report = ledger.accept()
        if intervene is retry:
            ledger.fail(report)
        return report

    def test_another_s_report_looks_exactly_as_none(self, bob, staff, ready, intervene):
        status = AsyncActionReport.objects.get(id=ready).status
        missing = uuid4()
        for client in (bob, staff):
            theirs = problem(intervene(client, ready), 404, "report_not_found")
            nobodys = problem(intervene(client, missing), 404, "report_not_found")
            assert theirs["detail"] == nobodys["detail"].replace(str(missing), str(ready))
        assert AsyncActionReport.objects.get(id=ready).status == status

    def test_a_task_s_report_names_the_action_s(self, ada, ready, intervene):
        task = tasks(ada, ready)[0]

        detail = problem(intervene(ada, task["id"]), 404, "report_not_found")["detail"]

        assert detail.startswith(f"Report {task['id']} is part of report {ready}, which is ")
        assert "cancel" not in task["links"]
        assert "retry" not in task["links"]

    def test_a_token_is_needed(self, stranger, ready, intervene):
        problem(intervene(stranger, ready), 401, "authentication_required")

    @pytest.mark.parametrize("body", ["", "{}", " {} "])
    def test_it_takes_no_body(self, ada, ready, intervene, body):
        assert intervene(ada, ready, body).status_code in (200, 202)

    @pytest.mark.parametrize(
        ("body", "refusal"),
        [
            (['{"reason": "x"}'], (422, "parameters_invalid")),
            (["[]"], (422, "parameters_invalid")),
            (["null"], (422, "parameters_invalid")),
            (["{"], (400, "body_malformed")),
            (["reason=x", "application/x-www-form-urlencoded"], (415, "media_type_unsupported")),
        ],
    )
    def test_a_body_is_refused(self, ada, ready, intervene, body, refusal):
        before = ada.get(f"/reports/{ready}").json()

        refused = problem(intervene(ada, ready, *body), *refusal)
        assert "no body" in refused["detail"] or refused["code"] == "body_malformed"

        assert ada.get(f"/reports/{ready}").json() == before

    def test_a_body_that_is_too_large_is_refused(self, ada, ready, intervene, settings):
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10

        problem(intervene(ada, ready, " " * 11), 413, "body_too_large")

    def test_query_parameters_are_refused(self, ada, ready, intervene):
        response = post(ada, f"/reports/{ready}/{intervene.__name__}?force=1")

        assert problem(response, 400, "query_invalid")["errors"][0]["parameter"] == "force"

    def test_another_method_is_refused(self, ada, ready, intervene):
        response = ada.get(f"/reports/{ready}/{intervene.__name__}")

        problem(response, 405, "method_not_allowed")
        assert response.headers["Allow"] == "POST"

    def test_a_purged_report_is_not_found(self, ada, ledger, intervene):
        report = ledger.accept()
        ledger.fail(report)
        assert purge_batch(older_than=-1) == 1

        problem(intervene(ada, report), 404, "report_not_found")
        problem(ada.get(f"/reports/{report}"), 404, "report_not_found")

    def test_a_report_that_is_purged_meanwhile_is_not_found(self, ada, ready, intervene, monkeypatch):
        locked = handover.lock_action

        def purge_and_lock(root):
            AsyncActionReport.objects.filter(root=root).delete()
            return locked(root)

        monkeypatch.setattr("reports.intervention.lock_action", purge_and_lock)

        problem(intervene(ada, ready), 404, "report_not_found")


class TestLinks:
    def links(self, client, report):
        body = client.get(f"/reports/{report}").json()
        [listed] = [item for item in client.get("/reports").json()["items"] if item["id"] == str(report)]
        assert listed["links"] == body["links"]
        assert body["links"].pop("self") == f"/reports/{report}"
        assert body["links"].pop("tasks") == f"/reports/{report}/tasks"
        under_way = body["status"] in ("pending", "running")
        assert body["links"].pop("events", None) == (f"/reports/{report}/events" if under_way else None)
        return body["links"]

    def test_they_say_what_may_be_done_next(self, ada, ledger):
        report = ledger.accept()
        cancel_it, retry_it = {"cancel": f"/reports/{report}/cancel"}, {"retry": f"/reports/{report}/retry"}
        assert self.links(ada, report) == cancel_it
        ledger.succeed(report, 1)
        assert self.links(ada, report) == cancel_it
        ledger.fail(report)
        assert self.links(ada, report) == retry_it
        assert post(ada, self.links(ada, report)["retry"]).status_code == 202
        assert self.links(ada, report) == cancel_it
        assert post(ada, self.links(ada, report)["cancel"]).status_code == 200
        assert self.links(ada, report) == retry_it

    def test_an_ok_report_is_left_alone(self, ada, ledger):
        report = ledger.accept()
        ledger.succeed(report, 1, 2)

        assert self.links(ada, report) == {}

    def test_staff_that_sees_another_s_report_may_only_look(self, staff, ledger):
        pending, failed = ledger.accept(), ledger.accept()
        ledger.fail(failed)

        assert self.links(staff, pending) == self.links(staff, failed) == {}

    def test_a_report_that_nobody_asked_for_is_nobody_s_to_cancel(self, staff):
        report, _ = acceptance.accept(action="nightly", plan=TWO_STEPS, parameters={}, requested_by=None)

        assert self.links(staff, report) == {}
