"""POST /actions/<name>/batch: the outcome of each request, and of all together."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.permissions import BasePermission

from api.invoices import SyncInvoicesApi
from reports.models import AsyncActionReport
from reports.selectors import read_clock
from tasks.canvas import plan_of
from tests.contract.document import require_as_documented


def asks(customer="cus_ada", key=None, **more):
    return {"parameters": {"customer_id": customer}, **({"idempotency_key": key} if key else {}), **more}


def post(client, *requests, headers=None, query=None, **more):
    return post_body(client, {"requests": requests, **more}, headers=headers, query=query)


def post_body(client, body, *, action="sync-invoices", headers=None, query=None):
    url = f"/actions/{action}/batch"
    answer = client.post(url, body, content_type="application/json", headers=headers, query_params=query or {})
    if action == "sync-invoices":
        require_as_documented(answer, "sync_invoices_batch")
    return answer


def roots():
    return list(AsyncActionReport.objects.filter(parent=None).order_by("id"))


def outcomes(answer):
    """Return status and code of each request."""
    assert answer.status_code == 200
    items = answer.json()["items"]
    assert answer.json()["refused"] == sum(item["problem"] is not None for item in items)
    return [(item["status"], item["problem"] and item["problem"]["code"]) for item in items]


def errors(problem):
    return [(error["pointer"], error["code"]) for error in problem["errors"]]


ACCEPTED = (202, None)


class TestEachOnItsOwn:
    def test_every_request_has_a_report_in_their_order(self, ada):
        answer = post(ada, asks("cus_1"), asks("cus_2", "k"), asks("cus_3"))

        assert outcomes(answer) == [ACCEPTED] * 3
        items = answer.json()["items"]
        shown = [(item["report"]["parameters"]["customer_id"], item["report"]["idempotency_key"]) for item in items]
        assert shown == [("cus_1", None), ("cus_2", "k"), ("cus_3", None)]
        assert [UUID(item["report"]["id"]) for item in items] == [row.id for row in roots()]
        assert [item["report"] for item in reversed(items)] == ada.get("/reports").json()["items"]
        assert {(row.requested_by_id, row.system_call) for row in roots()} == {(ada.user.pk, False)}

    def test_the_first_task_of_each_is_published_on_commit(self, ada, monkeypatch, django_capture_on_commit_callbacks):
        published = []
        monkeypatch.setattr("services.actions.publish", lambda some, **_: published.append(some))
        with django_capture_on_commit_callbacks(execute=True):
            post(ada, asks("cus_1"), asks("cus_2"))
            assert not published

        [dispatches] = published
        first = AsyncActionReport.objects.filter(position=0, kind="task").order_by("root_id")
        assert [dispatch.id for dispatch in dispatches] == [row.id for row in first]

    def test_what_is_wrong_with_one_is_no_matter_for_the_others(self, ada):
        answer = post(ada, asks("cus_1"), asks("no spaces"), {"parameters": {"customer": "x"}}, asks("cus_4"))

        assert outcomes(answer) == [ACCEPTED, (422, "parameters_invalid"), (422, "parameters_invalid"), ACCEPTED]
        problems = [item["problem"] for item in answer.json()["items"]]
        assert problems[1]["detail"] == "The parameters do not fit the action."
        assert errors(problems[1]) == [("#/requests/1/parameters/customer_id", "invalid")]
        assert errors(problems[2]) == [
            ("#/requests/2/parameters/customer", "unknown_field"),
            ("#/requests/2/parameters/customer_id", "required"),
        ]
        assert [row.parameters["customer_id"] for row in roots()] == ["cus_1", "cus_4"]

    @pytest.mark.parametrize(
        ("request_", "pointer", "code"),
        [
            (None, "#/requests/1", "null"),
            ([], "#/requests/1", "invalid_type"),
            ({}, "#/requests/1/parameters", "required"),
            ({"parameters": None}, "#/requests/1/parameters", "null"),
            ({"parameters": []}, "#/requests/1/parameters", "invalid_type"),
            (asks(delay=5), "#/requests/1/delay", "unknown_field"),
            (asks(key=5), "#/requests/1/idempotency_key", "invalid_type"),
            (asks(key="k" * 256), "#/requests/1/idempotency_key", "invalid"),
            (asks(key="é"), "#/requests/1/idempotency_key", "invalid"),
            (asks(key="k\n"), "#/requests/1/idempotency_key", "invalid"),
            (asks(idempotency_key=""), "#/requests/1/idempotency_key", "blank"),
        ],
    )
    def test_so_is_a_request_that_is_none(self, ada, request_, pointer, code):
        answer = post(ada, asks(), request_)

        assert outcomes(answer) == [ACCEPTED, (422, "parameters_invalid")]
        assert errors(answer.json()["items"][1]["problem"]) == [(pointer, code)]

    def test_and_one_that_cannot_be_kept(self, ada, settings):
        settings.REPORT_MAX_PARAMETERS_BYTES = 40

        assert outcomes(post(ada, asks(), asks("c" * 60))) == [ACCEPTED, (413, "body_too_large")]

    def test_a_key_may_be_null(self, ada):
        assert outcomes(post(ada, {**asks(), "idempotency_key": None})) == [ACCEPTED]

    def test_all_may_be_refused(self, ada):
        assert outcomes(post(ada, {}, {})) == [(422, "parameters_invalid")] * 2
        assert roots() == []

    def test_an_action_without_parameters(self, ada):
        answer = post_body(ada, {"requests": [{"parameters": {}}, {"parameters": {}}]}, action="sync-all-invoices")

        assert outcomes(answer) == [ACCEPTED] * 2

    def test_the_timing_is_that_of_each(self, ada):
        answer = post(ada, asks(), asks(), query={"delay": "3600", "expires_in": "7200"})

        times = {(item["report"]["not_before"], item["report"]["deadline_at"]) for item in answer.json()["items"]}
        assert len(times) == 1
        assert {row.due_at for row in AsyncActionReport.objects.filter(position=0, kind="task")} == {
            roots()[0].not_before
        }

    def test_many_cost_a_few_statements(self, ada, remembering):
        ada.get("/actions")
        with CaptureQueriesContext(connection) as queries:
            answer = post(ada, *(asks(f"cus_{number}", f"k{number}") for number in range(1000)))

        assert outcomes(answer) == [ACCEPTED] * 1000
        # Roots and tasks, 400 in each statement, in a savepoint of the test's; and their reports.
        assert len(queries) == 3 + 5 + 2 + 2


class TestBroken:
    """An action that fails on some parameters, as no canvas should."""

    @pytest.fixture(autouse=True)
    def _broken(self, monkeypatch):
        canvas = SyncInvoicesApi.canvas

        def break_down(customer_id, **more):
            if customer_id == "cus_bad":
                raise ZeroDivisionError
            return () if customer_id == "cus_none" else canvas(customer_id=customer_id, **more)

        monkeypatch.setattr(SyncInvoicesApi, "canvas", staticmethod(break_down))

    def test_it_is_no_matter_for_the_others(self, ada, caplog):
        answer = post(ada, asks("cus_1"), asks("cus_bad"), asks("cus_none"), asks("cus_2"))

        assert outcomes(answer) == [ACCEPTED, (500, "internal_error"), (500, "internal_error"), ACCEPTED]
        assert len(roots()) == 2
        logged = [record for record in caplog.records if record.name == "api.batch"]
        assert [record.getMessage() for record in logged] == [
            f"Request {at} of a batch for sync-invoices cannot be planned" for at in (1, 2)
        ]
        assert logged[0].exc_info[0] is ZeroDivisionError

    def test_but_where_it_is_all_or_none(self, ada):
        answer = post(ada, asks("cus_1"), asks("cus_bad"), atomic=True)

        assert (answer.status_code, answer.json()["code"]) == (422, "batch_refused")
        assert errors(answer.json()) == [("#/requests/1", "internal_error")]
        assert not roots()


class TestKeys:
    def test_a_repeated_batch_has_the_reports_that_it_had(self, ada):
        first = post(ada, asks("cus_1", "k1"), asks("cus_2", "k2"))

        again = post(ada, asks("cus_2", "k2"), asks("cus_1", "k1"), asks("cus_3", "k3"))

        assert outcomes(again) == [ACCEPTED] * 3
        assert [item["replayed"] for item in first.json()["items"]] == [False, False]
        assert [item["replayed"] for item in again.json()["items"]] == [True, True, False]
        reports = [[item["report"] for item in answer.json()["items"]] for answer in (first, again)]
        assert reports[1][:2] == reports[0][::-1]
        assert len(roots()) == 3

    def test_a_request_on_its_own_and_one_of_a_batch_are_the_same(self, ada):
        body = {"customer_id": "cus_1"}
        headers = {"Idempotency-Key": "k"}
        alone = ada.post("/actions/sync-invoices", body, content_type="application/json", headers=headers)

        [item] = post(ada, asks("cus_1", "k")).json()["items"]

        assert (item["replayed"], item["report"]["id"]) == (True, alone.json()["id"])

    def test_twins_in_one_batch_have_one_report(self, ada):
        one, twin, other = post(ada, asks("cus_1", "k"), asks("cus_1", "k"), asks("cus_2", "k")).json()["items"]

        assert (one["replayed"], twin["replayed"]) == (False, True)
        assert one["report"] == twin["report"]
        assert (other["status"], other["problem"]["code"]) == (422, "idempotency_key_reused")
        assert len(roots()) == 1

    def test_with_another_timing_it_is_another_request(self, ada):
        post(ada, asks("cus_1", "k"))

        assert outcomes(post(ada, asks("cus_1", "k"), query={"delay": "60"})) == [(422, "idempotency_key_reused")]

    def test_what_would_be_refused_by_now_still_has_its_report(self, ada, settings):
        post(ada, asks("cus_1", "k"))
        settings.REPORT_MAX_PARAMETERS_BYTES = 10

        answer = post(ada, asks("cus_1", "k"), asks("cus_1", "new"))

        assert outcomes(answer) == [ACCEPTED, (413, "body_too_large")]
        assert answer.json()["items"][0]["replayed"]

    def test_so_has_a_batch_whose_time_has_passed(self, ada, monkeypatch):
        soon = read_clock() + timedelta(minutes=5)
        query = {"run_at": soon.isoformat()}
        post(ada, asks("cus_1", "k1"), asks("cus_2", "k2"), query=query)
        monkeypatch.setattr("api.timing.read_clock", lambda: soon + timedelta(hours=1))

        again = post(ada, asks("cus_1", "k1"), asks("cus_2", "k2"), query=query)

        assert [item["replayed"] for item in again.json()["items"]] == [True, True]
        refused = post(ada, asks("cus_1", "k1"), asks("cus_3"), query=query)
        assert (refused.status_code, refused.json()["code"]) == (400, "query_invalid")

    def test_a_batch_has_no_key_of_its_own(self, ada):
        refused = post(ada, asks(), headers={"Idempotency-Key": "k"})

        assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_invalid")
        assert roots() == []


class TestAllOrNothing:
    def refusal(self, answer, *expected):
        assert (answer.status_code, answer.json()["code"]) == (422, "batch_refused")
        assert errors(answer.json()) == list(expected)
        return answer.json()["detail"]

    def test_all_are_accepted(self, ada):
        assert outcomes(post(ada, asks(), asks(), atomic=True)) == [ACCEPTED] * 2

    def test_none_is_accepted_where_one_is_not_valid(self, ada):
        answer = post(ada, asks(), asks("no spaces"), {}, atomic=True)

        detail = self.refusal(
            answer,
            ("#/requests/1/parameters/customer_id", "invalid"),
            ("#/requests/2/parameters", "required"),
        )
        assert detail == "2 of the requests cannot be accepted, and so none is."
        assert roots() == []

    def test_nor_where_a_key_is_that_of_another_request(self, ada):
        post(ada, asks("cus_1", "k"))

        answer = post(ada, asks("cus_2"), asks("cus_2", "k"), atomic=True)

        self.refusal(answer, ("#/requests/1", "idempotency_key_reused"))
        assert len(roots()) == 1

    def test_nor_where_two_have_one_key(self, ada):
        self.refusal(
            post(ada, asks("cus_1", "k"), asks("cus_2", "k"), atomic=True), ("#/requests/1", "idempotency_key_reused")
        )
        assert roots() == []

    def test_a_repeated_batch_is_accepted_again(self, ada):
        requests = [asks("cus_1", "k1"), asks("cus_2", "k2")]
        post(ada, *requests, atomic=True)

        again = post(ada, *requests, atomic=True)

        assert [item["replayed"] for item in again.json()["items"]] == [True, True]
        assert len(roots()) == 2

    def test_a_problem_lists_a_hundred_errors(self, ada):
        answer = post(ada, *[{}] * 300, atomic=True)

        assert len(answer.json()["errors"]) == 100
        assert answer.json()["detail"] == "300 of the requests cannot be accepted, and so none is."


class TestTrial:
    @pytest.fixture(autouse=True)
    def _nothing_is_stored(self, db):
        yield
        assert roots() == []

    def test_it_tells_which_would_be_accepted(self, ada):
        answer = post(ada, asks(key="k"), asks("no spaces"), asks(key="k"), query={"validate_only": "true"})

        assert outcomes(answer) == [(200, None), (422, "parameters_invalid"), (200, None)]
        assert {item["report"] for item in answer.json()["items"]} == {None}

    def test_and_whether_all_would(self, ada):
        answer = post(ada, asks(), {}, atomic=True, query={"validate_only": "true"})

        assert (answer.status_code, answer.json()["code"]) == (422, "batch_refused")

    def test_it_costs_no_statement(self, ada, remembering):
        ada.get("/actions")
        with CaptureQueriesContext(connection) as queries:
            post(ada, asks(key="k"), asks("no spaces", key="l"), query={"validate_only": "true"})
        assert len(queries) == 0


class TestRefused:
    @pytest.fixture(autouse=True)
    def _nothing_is_stored(self, db):
        yield
        assert roots() == []

    @pytest.mark.parametrize(
        ("body", "pointer", "code"),
        [
            ([], "#", "invalid_type"),
            ({}, "#/requests", "required"),
            ({"requests": {}}, "#/requests", "invalid_type"),
            ({"requests": []}, "#/requests", "min_length"),
            ({"requests": [asks()] * 1001}, "#/requests", "max_length"),
            ({"requests": [asks()], "atomic": "yes"}, "#/atomic", "invalid_type"),
            ({"requests": [asks()], "atomic": None}, "#/atomic", "null"),
            ({"requests": [asks()], "action": "x"}, "#/action", "unknown_field"),
        ],
    )
    def test_a_body_that_is_no_batch(self, ada, body, pointer, code):
        answer = post_body(ada, body)

        assert (answer.status_code, answer.json()["code"]) == (422, "parameters_invalid")
        assert errors(answer.json()) == [(pointer, code)]

    @pytest.mark.parametrize(
        "query",
        [{"delay": "soon"}, {"run_at": "2001-01-01T00:00:00Z"}, {"validate_only": "yes"}, {"x": "1"}],
    )
    def test_a_query_that_is_not_valid(self, ada, query):
        answer = post(ada, asks(), {}, query=query)

        assert (answer.status_code, answer.json()["code"]) == (400, "query_invalid")

    def test_more_tasks_than_a_report_may_have(self, ada, settings):
        settings.REPORT_MAX_TASKS = 5

        answer = post(ada, *[asks()] * 4)

        assert (answer.status_code, answer.json()["code"]) == (422, "plan_too_large")
        assert answer.json()["detail"] == "The first 3 requests have 6 tasks; a batch may have 5."

    def test_one_that_has_too_many_ends_the_planning(self, ada, settings, monkeypatch):
        planned = []
        monkeypatch.setattr("api.actions.plan_of", lambda canvas: planned.append(canvas) or plan_of(canvas))
        settings.REPORT_MAX_TASKS = 1

        answer = post(ada, *[asks()] * 4)

        assert (answer.status_code, answer.json()["code"]) == (422, "plan_too_large")
        assert len(planned) == 1
        assert not roots()

    def test_who_may_not_ask_for_the_action(self, ada, stranger, monkeypatch):
        class Nobody(BasePermission):
            def has_permission(self, request, view):
                return False

        assert post(stranger, asks()).status_code == 401
        monkeypatch.setattr(SyncInvoicesApi, "permission_classes", [Nobody])
        assert (post(ada, asks()).status_code, post(ada, asks()).json()["code"]) == (403, "permission_denied")

    def test_another_method(self, ada):
        assert ada.get("/actions/sync-invoices/batch").status_code == 405

    def test_an_action_that_does_not_exist(self, ada):
        answer = post_body(ada, {"requests": [asks()]}, action="sync-invoises")

        assert (answer.status_code, answer.json()["code"]) == (404, "action_not_found")
