"""What a newcomer finds without a token."""

import re
from contextlib import closing

import pytest
import yaml
from django.urls import set_script_prefix

from tests.integration.api.ledger import Ledger


def test_the_root_tells_curl_where_things_are(stranger):
    response = stranger.get("/")

    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Vary"] == "Accept"
    places = response.json()
    assert places.pop("service") == "Async Actions"
    assert set(places) == {"actions", "reports", "docs", "redoc", "openapi", "problems", "errors"}
    for place in places.values():
        assert stranger.get(place).status_code in (200, 401)


def test_the_root_tells_a_browser_where_things_are(stranger):
    response = stranger.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})

    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    page = response.content.decode()
    for link in re.findall(r'href="([^"]+)"', page):
        assert stranger.get(link).status_code == 200
    assert "http://testserver/actions" in page


@pytest.mark.parametrize("path", ["/docs", "/docs/redoc"])
def test_the_docs_are_served_without_outside_hosts(stranger, path):
    response = stranger.get(path)
    page = response.content.decode()

    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert any(source.endswith(".js") for source in sources)
    for source in sources:
        assert source.startswith("/static/drf_spectacular_sidecar/"), source
        with closing(stranger.get(source)) as file:
            assert file.status_code == 200, source
    assert re.search(r"['\"]/openapi\.yaml['\"]", page)
    without_comments = re.sub(r"^ *//.*$", "", page, flags=re.MULTILINE)
    assert not re.findall(r"(?:https?:)?//(?!www\.w3\.org)\w[\w.-]*\.\w+", without_comments)
    # And what the scripts would ask others for, a browser does not.
    policy = dict(directive.split(" ", 1) for directive in response.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == "'self'"
    for allowed in policy.values():
        assert set(allowed.split()) <= {"'self'", "'unsafe-inline'", "data:", "blob:"}


def test_the_openapi_document_is_served(stranger):
    response = stranger.get("/openapi.yaml")

    assert response.headers["Content-Type"] == "application/yaml"
    assert yaml.safe_load(response.content)["openapi"] == "3.1.0"


def test_the_catalogue_lists_every_action(ada, remembering, django_assert_num_queries):
    ada.get("/actions")
    with django_assert_num_queries(0):
        items = ada.get("/actions").json()["items"]

    assert [item["name"] for item in items] == [
        "ensure-customer",
        "invoice-customer",
        "sync-all-invoices",
        "sync-invoices",
    ]
    assert items[3].keys() == {"name", "description", "url", "restricted", "errors", "filterable"}
    assert items[3]["description"] == "Fetch a customer's invoices from InvoicesPlus and store them."
    assert {
        "code": "customer_not_found",
        "retryable": False,
        "description": "InvoicesPlus has no such customer.",
    } in items[3]["errors"]
    assert items[3]["url"] == "/actions/sync-invoices"
    assert ada.post(items[3]["url"], {"customer_id": "cus_ada"}, content_type="application/json").status_code == 202


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/redoc", "/openapi.yaml"])
def test_the_pages_need_no_database(client, path):
    assert client.get(path).status_code == 200


def test_paths_keep_the_prefix_that_a_proxy_has_given_the_service(ada, ledger: Ledger, settings):
    report = ledger.accept()
    # Django keeps it with the prefix with which it is first read, for the tests that follow.
    assert settings.STATIC_URL == "/static/"

    set_script_prefix("/jobs/")
    try:
        report = ada.get(f"/reports/{report}").json()
        problem = ada.get("/reports?x=1").json()
    finally:
        set_script_prefix("/")

    assert report["links"]["self"] == f"/jobs/reports/{report['id']}"
    assert problem["type"] == "/jobs/problems/query_invalid"
