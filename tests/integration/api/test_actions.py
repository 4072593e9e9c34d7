"""POST /actions/<name>: from the request to a committed report, which no worker takes up."""

import json

import pytest
from celery import group, shared_task
from django.db import transaction
from rest_framework import serializers
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission
from rest_framework.test import APIRequestFactory

from api import catalogue
from api.actions import ActionApi
from reports.errors import DocumentInvalidError, PlanInvalidError
from reports.models import AsyncActionReport
from tasks.chainable import chainable


@shared_task(name="tests.echo")
def echo(**words):
    return words


@shared_task(name="tests.note")
def note():
    return None


@pytest.fixture(autouse=True)
def _own_catalogue(monkeypatch):
    monkeypatch.setattr(catalogue, "_actions", dict(catalogue._actions))


def post(client, action, body, **options):
    return client.post(f"/actions/{action}", body, content_type="application/json", **options)


@pytest.fixture
def ask_for(ada):
    """Return a function that asks for an action which a test has declared, and which has no route therefore."""

    def ask(action, body):
        authorization = {"HTTP_AUTHORIZATION": ada.defaults["HTTP_AUTHORIZATION"]}
        return action.as_view()(APIRequestFactory().post("/", body, format="json", **authorization))

    return ask


def probe(build):
    """Return an action without parameters, whose canvas does what ``build`` does."""

    @chainable
    def try_something():
        return build()

    class ProbeApi(ActionApi):
        """Try something."""

        name = "probe"
        canvas = try_something

        class InputSerializer(serializers.Serializer):
            pass

        class OutputSerializer(serializers.Serializer):
            pass

    return ProbeApi


class TestAccepted:
    def test_the_answer_is_the_pending_report(self, ada):
        response = post(ada, "sync-invoices", {"customer_id": "cus_ada"})

        assert response.status_code == 202
        body = response.json()
        assert response.headers["Location"] == f"/reports/{body['id']}"
        assert response.headers["Retry-After"] == "1"
        assert (body["action"], body["status"]) == ("sync-invoices", "pending")
        assert body["parameters"] == {"customer_id": "cus_ada"}
        assert ada.get(response.headers["Location"]).json() == body

    def test_the_whole_plan_is_committed_for_this_client(self, ada):
        report = AsyncActionReport.objects.get(id=post(ada, "sync-invoices", {"customer_id": "cus_ada"}).json()["id"])

        assert (report.requested_by_id, report.system_call) == (ada.user.pk, False)
        tasks = AsyncActionReport.objects.filter(parent=report).order_by("position")
        assert [task.task for task in tasks] == ["invoices.fetch", "invoices.store"]
        assert tasks[0].arguments == {"args": ["cus_ada"], "kwargs": {}}

    def test_nothing_is_published_before_the_commit(self, ada, django_capture_on_commit_callbacks, monkeypatch):
        published = []
        monkeypatch.setattr("services.actions.publish", lambda some, **_: published.append(some))
        with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
            report = post(ada, "sync-invoices", {"customer_id": "cus_ada"}).json()["id"]
            assert not published

        first = AsyncActionReport.objects.get(parent=report, position=0)
        assert [(dispatch.task, dispatch.id) for [dispatch] in published] == [("invoices.fetch", first.id)]

    def test_defaults_and_rounding_show_in_the_parameters(self, ada):
        body = {"email": "ada@example.com", "name": " Ada ", "amount": "12.5", "reference": "r-1"}

        report = post(ada, "invoice-customer", body).json()

        assert report["parameters"] == {**body, "amount": "12.50", "currency": "EUR"}
        last = AsyncActionReport.objects.get(parent=report["id"], position=4)
        assert last.arguments["kwargs"] == {"amount": "12.50", "currency": "EUR", "reference": "r-1"}

    def test_an_action_without_parameters_needs_no_body(self, ada):
        assert ada.generic("POST", "/actions/sync-all-invoices").status_code == 202
        assert post(ada, "sync-all-invoices", {}).json()["parameters"] == {}

    def test_the_canvas_gets_json_values_and_only_what_was_given(self, ask_for):
        calls = []

        @chainable
        def remember(day, note=..., size=3, maybe=...):
            calls.append({"day": day, "note": note, "size": size, "maybe": maybe})
            return echo.si()

        class RememberApi(ActionApi):
            """Remember a day."""

            name = "remember"
            canvas = remember

            class InputSerializer(serializers.Serializer):
                day = serializers.DateField()
                note = serializers.CharField(required=False)
                size = serializers.IntegerField(default=4)
                maybe = serializers.CharField(required=False, allow_null=True)

            class OutputSerializer(serializers.Serializer):
                pass

        assert ask_for(RememberApi, {"day": "2024-02-29"}).status_code == 202
        assert ask_for(RememberApi, {"day": "2024-02-29", "maybe": None, "note": "x"}).status_code == 202
        assert calls == [
            {"day": "2024-02-29", "note": ..., "size": 4, "maybe": ...},
            {"day": "2024-02-29", "note": "x", "size": 4, "maybe": None},
        ]

    def test_requests_do_not_see_each_other_s_parameters(self, ada):
        ids = [post(ada, "sync-invoices", {"customer_id": f"cus_{number}"}).json()["id"] for number in range(3)]

        shown = [ada.get(f"/reports/{id_}").json()["parameters"]["customer_id"] for id_ in ids]
        assert shown == ["cus_0", "cus_1", "cus_2"]


class TestRefused:
    @pytest.fixture(autouse=True)
    def _nothing_is_stored(self, db):
        yield
        assert not AsyncActionReport.objects.exists()

    def refusal(self, response, status, code):
        assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
        problem = json.loads(response.content)
        assert problem["code"] == code
        assert problem["type"] == f"/problems/{code}"
        assert problem["status"] == status
        assert problem["title"]
        assert problem["detail"]
        return problem

    def test_parameters_that_do_not_fit(self, ada):
        response = post(ada, "ensure-customer", {"email": "nobody", "nmae": "Ada"})

        problem = self.refusal(response, 422, "parameters_invalid")
        assert problem["errors"] == [
            {"pointer": "#/nmae", "code": "unknown_field", "detail": "There is no such field; known: email, name."},
            {"pointer": "#/email", "code": "invalid", "detail": "Enter a valid email address."},
            {"pointer": "#/name", "code": "required", "detail": "This field is required."},
        ]

    def test_a_text_of_another_form_is_told_the_form(self, ada):
        problem = self.refusal(post(ada, "sync-invoices", {"customer_id": "no spaces"}), 422, "parameters_invalid")

        [error] = problem["errors"]
        assert error["detail"] == "This does not match the pattern ^[A-Za-z0-9_-]{1,64}$"

    @pytest.mark.parametrize(
        ("parameters", "code"),
        [
            ({"amount": 12.5}, "invalid_type"),
            ({"amount": "0.00"}, "min_value"),
            ({"amount": "1.005"}, "max_decimal_places"),
            ({"currency": "eur"}, "invalid"),
            ({"currency": "EUR\n"}, "invalid"),
            ({"currency": None}, "null"),
            ({"name": ""}, "blank"),
            ({"name": " \t"}, "invalid"),
            ({"reference": "  "}, "invalid"),
            ({"amount": "-1.00"}, "min_value"),
            ({"name": "A\0"}, "null_characters_not_allowed"),
            ({"reference": "r" * 101}, "max_length"),
        ],
    )
    def test_a_parameter_that_does_not_fit_is_named(self, ada, parameters, code):
        body = {"email": "ada@example.com", "name": "Ada", "amount": "12.50", **parameters}

        problem = self.refusal(post(ada, "invoice-customer", body), 422, "parameters_invalid")

        assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [
            (f"#/{next(iter(parameters))}", code)
        ]

    @pytest.mark.parametrize(
        "body", ['{"customer_id": ', "", "{'a': 1}", b"\xff", '{"a": NaN}', '{"a": 1e999}', "[" * 5000]
    )
    def test_a_body_that_is_not_json(self, ada, body):
        response = post(ada, "sync-invoices", body)

        if body == "":
            self.refusal(response, 422, "parameters_invalid")
        else:
            self.refusal(response, 400, "body_malformed")

    def test_a_body_that_is_no_object(self, ada):
        for body in ("[]", '"text"', "5", "null"):
            problem = self.refusal(post(ada, "sync-invoices", body), 422, "parameters_invalid")
            assert problem["errors"][0]["pointer"] == "#"

    @pytest.mark.parametrize(
        "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json"]
    )
    def test_a_body_of_another_media_type(self, ada, content_type):
        response = ada.post("/actions/sync-invoices", '{"customer_id": "cus_ada"}', content_type=content_type)

        detail = self.refusal(response, 415, "media_type_unsupported")["detail"]
        assert detail.endswith("Send Content-Type: application/json.")
        assert response.headers["Accept"] == "application/json"

    def test_a_body_that_is_too_large(self, ada, settings):
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

        problem = self.refusal(post(ada, "sync-invoices", {"customer_id": "c" * 100}), 413, "body_too_large")

        assert problem["detail"] == "The body has more than the 100 bytes that are allowed."

    @pytest.mark.parametrize("encoding", ["gzip", "identity, br", "zstd"])
    def test_a_body_that_is_compressed(self, ada, encoding):
        response = post(ada, "sync-invoices", {"customer_id": "cus_ada"}, headers={"Content-Encoding": encoding})

        assert f"Content-Encoding {encoding};" in self.refusal(response, 415, "media_type_unsupported")["detail"]
        assert response.headers["Accept-Encoding"] == "identity"

    def test_parameters_that_are_too_large(self, ada, settings):
        settings.REPORT_MAX_PARAMETERS_BYTES = 20

        problem = self.refusal(post(ada, "sync-invoices", {"customer_id": "cus_ada"}), 413, "body_too_large")

        assert problem["detail"] == "The parameters would take 25 bytes as JSON; at most 20 are allowed."

    def test_parameters_that_are_too_large_for_a_task(self, ada, settings):
        settings.REPORT_MAX_PARAMETERS_BYTES = 30

        problem = self.refusal(post(ada, "sync-invoices", {"customer_id": "cus_ada"}), 413, "body_too_large")

        assert (
            problem["detail"] == "The arguments of invoices.fetch would take 32 bytes as JSON; at most 30 are allowed."
        )

    @pytest.mark.parametrize(
        ("setting", "body", "error"),
        [
            ("REQUEST_MAX_DEPTH", {"customer_id": [[]]}, ("#/customer_id/0", "max_depth")),
            ("REQUEST_MAX_STRING_LENGTH", {"a": "cus"}, ("#/a", "max_length")),
            ("REQUEST_MAX_LIST_LENGTH", [1, 2, 3], ("#", "max_length")),
            ("REQUEST_MAX_MEMBERS", {"a": 1, "b": 2, "c": 3}, ("#", "max_length")),
        ],
    )
    def test_a_body_that_is_larger_than_the_settings_say(self, ada, settings, setting, body, error):
        setattr(settings, setting, 2)

        problem = self.refusal(post(ada, "sync-invoices", json.dumps(body)), 422, "parameters_invalid")

        assert problem["detail"] == "The body is larger than this service takes."
        assert [(found["pointer"], found["code"]) for found in problem["errors"]] == [error]

    def test_a_body_that_nests_deeper_than_any_settings_allow(self, ada):
        body = f'{{"customer_id": {"[" * 900}{"]" * 900}}}'

        problem = self.refusal(post(ada, "sync-invoices", body), 422, "parameters_invalid")

        assert problem["errors"][0]["code"] == "max_depth"

    def test_an_action_that_does_not_exist(self, ada, stranger):
        self.refusal(post(ada, "sync-invoises", {}), 404, "action_not_found")
        self.refusal(post(stranger, "sync-invoises", {}), 401, "authentication_required")

    def test_another_method(self, ada):
        response = ada.get("/actions/sync-invoices")

        self.refusal(response, 405, "method_not_allowed")
        assert response.headers["Allow"] == "POST"

    def test_query_parameters(self, ada):
        self.refusal(post(ada, "sync-invoices?dry_run=1", {"customer_id": "cus_ada"}), 400, "query_invalid")

    def test_a_client_without_the_action_s_permission(self, ask_for):
        class Nobody(BasePermission):
            def has_permission(self, request, view):
                return False

        action = probe(note.si)
        action.permission_classes = [Nobody]

        self.refusal(ask_for(action, {}), 403, "permission_denied")

    def test_an_action_s_own_refusal(self, ask_for):
        class OutOfStock(APIException):
            status_code = 409
            default_code = "out_of_stock"
            default_detail = "There is none left."

        class InStock(BasePermission):
            def has_permission(self, request, view):
                raise OutOfStock

        action = probe(note.si)
        action.permission_classes = [InStock]

        response = ask_for(action, {})

        assert (response.status_code, response.headers["Content-Type"]) == (409, "application/problem+json")
        assert json.loads(response.content) == {
            "type": "about:blank",
            "title": "There is none left.",
            "status": 409,
            "code": "out_of_stock",
            "detail": "There is none left.",
        }

    def test_more_tasks_than_a_report_may_have(self, ask_for, settings):
        settings.REPORT_MAX_TASKS = 2

        problem = self.refusal(ask_for(probe(lambda: group(note.si() for _ in range(3))), {}), 422, "plan_too_large")

        assert problem["detail"] == "probe has 3 tasks; one report may have 2."

    def test_json_that_no_database_keeps(self, ask_for):
        @chainable
        def keep(anything):
            return note.si()

        class KeepApi(ActionApi):
            """Keep anything."""

            name = "keep"
            canvas = keep

            class InputSerializer(serializers.Serializer):
                anything = serializers.JSONField()

            class OutputSerializer(serializers.Serializer):
                pass

        problem = self.refusal(ask_for(KeepApi, {"anything": {"a\0": 1}}), 422, "parameters_invalid")

        assert problem["errors"][0]["code"] == "document_invalid"


class TestBroken:
    """What an author did wrong is not the client's fault: a 500, and a line in the log that says what to change."""

    @pytest.mark.parametrize(
        ("build", "error", "line"),
        [
            (lambda: note.s(1), PlanInvalidError, "tests.note cannot be called like this"),
            (lambda: 5, TypeError, "must return a signature"),
            (list, ValueError, "returned no signatures"),
            (
                lambda: echo.si(when=object()),
                DocumentInvalidError,
                "The arguments of tests.echo cannot be written as JSON",
            ),
        ],
    )
    def test_it_is_raised_for_the_log(self, ask_for, build, error, line):
        with pytest.raises(error, match=line):
            ask_for(probe(build), {})
        assert not AsyncActionReport.objects.exists()

    def test_the_client_gets_a_problem_without_details(self, ada, monkeypatch, caplog):
        def fail(**_):
            raise PlanInvalidError("secret of the author")

        monkeypatch.setattr("api.invoices.SyncInvoicesApi.canvas", staticmethod(fail))

        response = post(ada, "sync-invoices", {"customer_id": "cus_ada"})

        assert (response.status_code, response.headers["Content-Type"]) == (500, "application/problem+json")
        assert response.json()["code"] == "internal_error"
        assert "secret" not in response.content.decode()
        assert "The action of SyncInvoicesApi has a plan that cannot run: secret of the author" in caplog.messages
