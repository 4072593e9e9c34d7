"""What holds for every route: who may, and what an answer never tells. docs/security.md says what it is for."""

import re
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver
from rest_framework import serializers

from api import catalogue
from reports.models import AsyncActionReport
from tests.contract.document import committed
from tests.integration.api.test_problems import problem

HEALTH = {"health/live", "health/serving", "health/ready"}
PUBLIC = {"", "docs", "docs/redoc", "openapi.yaml", "problems", "problems/{code}", "errors", "errors/{code}", *HEALTH}
# Shown in place of the document's operations where there is no such action.
UNKNOWN_ACTION = {"actions/{name}", "actions/{name}/batch"}


def routes() -> set[str]:
    """Return the paths of all routes but those of the admin pages, with their parameters in braces."""
    [api] = [entry for entry in get_resolver().url_patterns if str(entry.pattern) == ""]
    assert all(isinstance(entry, URLPattern) for entry in api.url_patterns)
    return {re.sub(r"<\w+:(\w+)>", r"{\1}", str(entry.pattern)) for entry in api.url_patterns}


def methods_of(path: str) -> list[str]:
    return [method.upper() for method in committed()["paths"].get(f"/{path}", {"get": None})]


PRIVATE = sorted(routes() - PUBLIC)
OF_A_REPORT = [path for path in PRIVATE if "{report_id}" in path]


def call(client, path, method, **parameters):
    path = path.format(**{"report_id": uuid4(), "name": "nothing", **parameters})
    return client.generic(method, f"/{path}", content_type="application/json")


class TestEveryRoute:
    def test_is_in_the_document_or_known_to_be_public(self):
        documented = {path.removeprefix("/") for path in committed()["paths"]}

        assert routes() - PUBLIC - UNKNOWN_ACTION == documented

    @pytest.mark.parametrize("path", PRIVATE)
    def test_needs_a_token(self, stranger, path):
        for method in methods_of(path):
            problem(call(stranger, path, method), 401, "authentication_required")

    @pytest.mark.parametrize("path", PRIVATE)
    def test_takes_no_session_of_the_admin_pages_for_a_token(self, db, django_user_model, path):
        person = Client()
        person.force_login(django_user_model.objects.create_superuser("ada", password="x"))

        for method in methods_of(path):
            problem(call(person, path, method), 401, "authentication_required")

    @pytest.mark.parametrize("path", sorted(PUBLIC - HEALTH - {"problems/{code}", "errors/{code}"}))
    def test_that_is_public_reads_nothing_and_changes_nothing(self, stranger, path, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert stranger.get(f"/{path}").status_code == 200
            problem(stranger.post(f"/{path}"), 405, "method_not_allowed")

    @pytest.mark.parametrize("path", [*PRIVATE, *sorted(PUBLIC)])
    def test_tells_browsers_to_be_careful(self, ada, path):
        headers = call(ada, path, "GET", code="nothing").headers

        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert not [name for name in headers if name.lower().startswith("access-control")]
        assert not {"Server", "X-Powered-By"} & set(headers)

    @pytest.mark.parametrize("path", ["reports", "reports/{report_id}", "actions"])
    def test_leaves_answers_in_no_cache_that_others_share(self, ada, ledger, path):
        assert "private" in call(ada, path, "GET", report_id=ledger.accept()).headers["Cache-Control"]


class TestReportsOfOthers:
    @pytest.mark.parametrize("path", OF_A_REPORT)
    def test_are_answered_like_none_on_every_route(self, ada, bob, ledger, path):
        report = ledger.accept()
        task = AsyncActionReport.objects.filter(parent=report).first()
        ledger.fail(report)
        before = list(AsyncActionReport.objects.order_by("id").values())

        for method in methods_of(path):
            for id_ in (report, task.id):
                theirs = problem(call(bob, path, method, report_id=id_), 404, "report_not_found")
                nobodys = problem(call(bob, path, method, report_id=(other := uuid4())), 404, "report_not_found")
                assert theirs["detail"].replace(str(id_), "") == nobodys["detail"].replace(str(other), "")
        assert list(AsyncActionReport.objects.order_by("id").values()) == before

    def test_are_only_read_by_those_who_may_read_all(self, staff, ledger):
        report = ledger.accept()
        assert staff.get(f"/reports/{report}").status_code == 200

        for path in ("reports/{report_id}/cancel", "reports/{report_id}/retry"):
            problem(call(staff, path, "POST", report_id=report), 404, "report_not_found")


class TestAnswers:
    def test_name_no_worker_no_client_and_no_arguments(self, ada, staff, ledger):
        report = ledger.accept()
        ledger.fail(report)
        kept = AsyncActionReport.objects.filter(root=report, kind="task").first()
        AsyncActionReport.objects.filter(id=kept.id).update(worker="worker@host-17", arguments={"args": ["inner-arg"]})

        for client in (ada, staff):
            for path in (f"/reports/{report}", f"/reports/{report}/tasks", f"/reports/{kept.id}", "/reports"):
                text = client.get(path).content.decode()
                for inner in ("host-17", "inner-arg", "requested_by", "username"):
                    assert inner not in text, path

    def test_a_token_does_not_open_the_admin_pages(self, staff):
        response = staff.get("/admin/")

        assert response.status_code == 302
        assert response.headers["Location"].startswith("/admin/login/")

    def test_who_asked_is_not_the_client_s_to_say(self, ada, bob):
        body = {"customer_id": "cus_ada", "requested_by": bob.user.pk}

        problem(ada.post("/actions/sync-invoices", body, content_type="application/json"), 422, "parameters_invalid")


def test_no_action_takes_an_address_that_the_service_would_call():
    def fields(serializer):
        for field in serializer.fields.values():
            yield field
            if isinstance(getattr(field, "child", field), serializers.BaseSerializer):
                yield from fields(getattr(field, "child", field))

    taken = [field for action in catalogue.actions() for field in fields(action.parameters)]
    assert taken
    assert not [field for field in taken if isinstance(field, serializers.URLField | serializers.IPAddressField)]
