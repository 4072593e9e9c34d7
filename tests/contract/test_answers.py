"""Real answers are what openapi.yaml says: status, headers, and every field of the body."""

from uuid import uuid4

import pytest
from jsonschema import ValidationError

from tests.contract.document import require_as_documented, require_valid
from tests.integration.api.ledger import A_GROUP

SUMMARY = {"stored": 1, "totals": {"EUR": "1.00"}}


def post(client, action, body):
    return client.post(f"/actions/{action}", body, content_type="application/json")


@pytest.mark.parametrize(
    ("operation_id", "body"),
    [
        ("sync_invoices", {"customer_id": "cus_ada"}),
        ("ensure_customer", {"email": "ada@example.com", "name": "Ada"}),
        ("invoice_customer", {"email": "ada@example.com", "name": "Ada", "amount": "12.50"}),
        ("sync_all_invoices", {}),
    ],
)
def test_accepted_actions(ada, operation_id, body):
    response = post(ada, operation_id.replace("_", "-"), body)

    require_as_documented(response, operation_id)
    require_as_documented(ada.get(response.headers["Location"]), "get_report")


def test_refused_actions(ada, stranger, settings):
    refused = [
        post(stranger, "sync-invoices", {}),
        post(ada, "sync-invoices", {"customer": "cus_ada"}),
        post(ada, "sync-invoices", "{"),
        post(ada, "sync-invoices?x=1", {}),
        ada.post("/actions/sync-invoices", "x", content_type="text/plain"),
    ]
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    refused.append(post(ada, "sync-invoices", {"customer_id": "cus_ada"}))

    assert [response.status_code for response in refused] == [401, 422, 400, 400, 415, 413]
    for response in refused:
        require_as_documented(response, "sync_invoices")


def test_scheduled_actions(ada):
    response = post(ada, "sync-invoices?delay=60&expires_in=120", {"customer_id": "cus_ada"})

    require_as_documented(response, "sync_invoices")
    assert response.json()["not_before"] < response.json()["deadline_at"]
    require_as_documented(ada.get("/reports"), "list_reports")


def test_interventions(ada, stranger, ledger):
    report, ok = ledger.accept(), ledger.accept()
    ledger.succeed(ok, ["a row"], SUMMARY)
    ledger.fail(report)
    answers = {
        "retry_report": [
            *(post_nothing(ada, f"/reports/{id_}/retry") for id_ in (report, ok, uuid4())),
            post_nothing(stranger, f"/reports/{report}/retry"),
        ],
        "cancel_report": [
            *(post_nothing(ada, f"/reports/{id_}/cancel") for id_ in (report, ok, uuid4())),
            post_nothing(stranger, f"/reports/{report}/cancel"),
        ],
    }
    assert ada.get(f"/reports/{report}").json()["errors"]
    for operation_id, action in (("cancel_report", "cancel"), ("retry_report", "retry")):
        path = f"/reports/{report}/{action}"
        refused = [ada.post(path), ada.post(f"{path}?x=1"), *(post_nothing(ada, path, text) for text in ("{", "[]"))]
        assert [response.status_code for response in refused] == [415, 400, 400, 422]
        answers[operation_id] += refused

    assert [response.status_code for response in answers["retry_report"][:4]] == [202, 409, 404, 401]
    assert [response.status_code for response in answers["cancel_report"][:4]] == [200, 409, 404, 401]
    for operation_id, responses in answers.items():
        for response in responses:
            require_as_documented(response, operation_id)
    require_as_documented(ada.get(f"/reports/{report}"), "get_report")


def post_nothing(client, path, body=""):
    return client.generic("POST", path, body, content_type="application/json")


@pytest.fixture
def reports(ledger):
    """Return reports in every state that one can be in."""
    pending, running, ok, failed, grouped, unknown = (
        *(ledger.accept() for _ in range(4)),
        ledger.accept(A_GROUP, action="sync-all-invoices", parameters={}),
        ledger.accept(action="no-more-there", parameters={"any": [1]}),
    )
    ledger.succeed(running, ["a row"])
    ledger.succeed(ok, ["a row"], SUMMARY)
    ledger.put_off(failed)
    ledger.fail(failed)
    ledger.succeed(grouped, 1)
    ledger.succeed(unknown, None, [1, 2])
    cancelled, retried = ledger.accept(), ledger.accept()
    ledger.cancel(cancelled)
    ledger.fail(retried)
    ledger.resume(retried)
    return [pending, running, ok, failed, grouped, unknown, cancelled, retried]


def test_reports_in_every_state(ada, staff, reports):
    for report in reports:
        for client in (ada, staff):
            require_as_documented(client.get(f"/reports/{report}"), "get_report")
            tasks = client.get(f"/reports/{report}/tasks")
            require_as_documented(tasks, "list_report_tasks")
            for task in tasks.json()["items"]:
                require_as_documented(client.get(task["links"]["self"]), "get_report")


def test_unchanged_reports(ada, reports):
    for report in reports:
        etag = ada.get(f"/reports/{report}").headers["ETag"]
        unchanged = ada.get(f"/reports/{report}", headers={"If-None-Match": etag})
        assert unchanged.status_code == 304
        require_as_documented(unchanged, "get_report")


def test_events(ada, stranger, reports, settings):
    path = f"/reports/{reports[2]}/events"
    etag = ada.get(f"/reports/{reports[2]}").headers["ETag"]
    over = ada.get(path, headers={"Last-Event-ID": etag.strip('"')})
    settings.EVENTS_MAX_CLIENTS = 0
    refused = [ada.get(path), ada.get(f"{path}?x=1"), stranger.get(path), ada.get(f"/reports/{uuid4()}/events")]

    assert [response.status_code for response in (over, *refused)] == [204, 503, 400, 401, 404]
    for response in (over, *refused):
        require_as_documented(response, "watch_report")


def test_lists(ada, reports):
    filters = "?status=failed&status=ok&created_after=2020-01-01T00:00:00Z&order=oldest&error_code=gone"
    for query in ("", "?limit=2", "?status=failed", "?action=sync-invoices", filters):
        require_as_documented(ada.get(f"/reports{query}"), "list_reports")
    require_as_documented(ada.get("/actions"), "list_actions")


def test_refused_reads(ada, stranger):
    for operation_id, path in (
        ("get_report", f"/reports/{uuid4()}"),
        ("list_report_tasks", f"/reports/{uuid4()}/tasks"),
        ("list_reports", "/reports"),
        ("list_actions", "/actions"),
    ):
        for response in (ada.get(path), ada.get(f"{path}?x=1"), stranger.get(path)):
            require_as_documented(response, operation_id)


def test_a_known_action_s_report_has_its_types(ada, reports):
    ok = ada.get(f"/reports/{reports[2]}").json()

    require_valid(ok, {"$ref": "#/components/schemas/SyncInvoicesReport"})
    with pytest.raises(ValidationError):
        require_valid({**ok, "result": {"stored": "1"}}, {"$ref": "#/components/schemas/SyncInvoicesReport"})
    with pytest.raises(ValidationError):
        require_valid({**ok, "action": "other"}, {"$ref": "#/components/schemas/SyncInvoicesReport"})
    with pytest.raises(ValidationError):
        require_valid({**ok, "undeclared": 1}, {"$ref": "#/components/schemas/SyncInvoicesReport"})
