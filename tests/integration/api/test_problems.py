"""Every error is a problem document, whoever in the request's way has noticed it."""

import pytest
from django.db import OperationalError
from django.test import Client

from api.problems import PROBLEM_TYPES


def problem(response, status, code):
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    document = response.json()
    assert (document["status"], document["code"], document["type"]) == (status, code, f"/problems/{code}")
    return document


@pytest.mark.parametrize("path", ["/nothing", "/reports/", "/actions/a/b", "/%00"])
def test_an_unknown_url(stranger, path):
    problem(stranger.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/reports", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("OPTIONS", "/reports", "GET, HEAD"),
        ("TRACE", "/reports", "GET, HEAD"),
        ("PATCH", "/actions/sync-invoices", "POST"),
    ],
)
def test_another_method(ada, method, path, allowed):
    response = ada.generic(method, path)

    assert problem(response, 405, "method_not_allowed")["detail"].endswith(f"Allowed: {allowed}.")
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize("accept", ["application/problem+json", "text/html", "image/png", "nonsense", ""])
def test_the_one_format_is_answered_whatever_is_accepted(ada, accept):
    assert ada.get("/reports", headers={"Accept": accept}).headers["Content-Type"] == "application/json"
    problem(ada.get("/reports?x=1", headers={"Accept": accept}), 400, "query_invalid")


def test_a_host_that_is_not_ours(ada):
    refused = problem(ada.get("/reports", headers={"Host": "evil.example"}), 400, "bad_request")

    assert refused["detail"] == (
        "The Host header names no host of this service; the operator adds it to ALLOWED_HOSTS."
    )


def test_what_nobody_foresaw(ada, monkeypatch, caplog):
    def fail(*_, **__):
        raise ZeroDivisionError("inner secret")

    monkeypatch.setattr("reports.selectors.list_roots", fail)

    response = ada.get("/reports")

    assert "inner secret" not in str(problem(response, 500, "internal_error"))
    assert "inner secret" in caplog.text


def test_a_database_that_is_away(ada, monkeypatch, caplog):
    def fail(*_, **__):
        raise OperationalError("connection to 10.0.0.1 refused")

    monkeypatch.setattr("reports.selectors.list_roots", fail)

    response = ada.get("/reports")

    assert "10.0.0.1" not in str(problem(response, 503, "service_unavailable"))
    assert response.headers["Retry-After"] == "5"
    assert "The database is away: connection to 10.0.0.1 refused" in caplog.messages


@pytest.mark.parametrize("code", PROBLEM_TYPES)
def test_a_type_resolves_to_its_page(stranger, code):
    document = stranger.get(f"/problems/{code}").json()
    page = stranger.get(f"/problems/{code}", headers={"Accept": "text/html"}).content.decode()

    [item] = document["items"]
    assert item["type"] == f"/problems/{code}"
    assert item["title"] in page
    assert item["advice"]


def test_an_unknown_type_is_not_there(stranger):
    problem(stranger.get("/problems/nothing"), 404, "not_found")


class TestOutsideTheApi:
    FILE = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui.css"

    def test_a_static_file_that_is_not_there(self, stranger):
        problem(stranger.get("/static/nothing.css"), 404, "not_found")

    def test_a_static_file_is_only_read(self, stranger):
        response = stranger.post(self.FILE)

        problem(response, 405, "method_not_allowed")
        assert response.headers["Allow"] == "GET, HEAD"

    def test_a_part_of_a_static_file_that_there_is_not(self, stranger):
        response = stranger.get(self.FILE, headers={"Range": "bytes=999999999-"})

        assert (response.status_code, response.headers["Content-Type"]) == (416, "application/problem+json")
        document = response.json()
        assert (document["type"], document["status"]) == ("about:blank", 416)
        assert response.headers["Content-Range"].startswith("bytes */")

    def test_a_form_of_the_admin_pages_from_elsewhere(self, db):
        elsewhere = Client(enforce_csrf_checks=True)

        problem(elsewhere.post("/admin/login/", {"username": "ada", "password": "x"}), 403, "permission_denied")

    def test_the_admin_pages_fail_like_the_others(self, db, monkeypatch):
        def fail(*_, **__):
            raise OperationalError("connection to 10.0.0.1 refused")

        monkeypatch.setattr("api.authentication.PersonBackend.authenticate", fail)
        response = Client(raise_request_exception=False).post("/admin/login/", {"username": "ada", "password": "x"})

        assert "10.0.0.1" not in str(problem(response, 500, "internal_error"))
