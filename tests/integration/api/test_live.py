"""What only a real web server shows."""

from collections.abc import Iterator

import pytest

from reports.models import AsyncActionReport


def problem(response, status, code):
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert response.json()["code"] == code


@pytest.fixture
def live(stack) -> Iterator:
    with stack.client() as client:
        client.headers["Content-Type"] = "application/json"
        yield client


def test_a_body_in_chunks_is_refused_and_not_taken_as_empty(live):
    problem(live.post("/actions/sync-all-invoices", content=iter([b'{"any', b'":1}'])), 411, "length_required")
    assert not AsyncActionReport.objects.exists()


def test_a_body_that_is_too_large_is_refused(live):
    problem(live.post("/actions/sync-invoices", content=b'"' + b"a" * 3_000_000 + b'"'), 413, "body_too_large")


@pytest.mark.parametrize("path", ["/nothing", "/%ff", "/%00", "/a%0d%0ab", "/" + "a" * 8_000])
def test_an_unknown_url(live, path):
    problem(live.get(path), 404, "not_found")


def test_the_docs_have_their_files(live):
    for file in ("swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"):
        path = f"/static/drf_spectacular_sidecar/swagger-ui-dist/{file}"
        assert path in live.get("/docs").text
        assert live.get(path).status_code == 200


def test_head_has_no_body(live):
    response = live.head("/reports")

    assert (response.status_code, response.content) == (200, b"")
    assert int(response.headers["Content-Length"]) > 0
