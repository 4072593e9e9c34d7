"""GET /reports by every filter, alone and together, and the refusals of what filters nothing."""

from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest

from reports.models import AsyncActionReport

ADA, BOB = {"customer_id": "cus_ada"}, {"customer_id": "cus_bob"}


def ids(client, **query):
    response = client.get(f"/reports?{urlencode(query, doseq=True)}")
    assert response.status_code == 200, response.content
    return [item["id"] for item in response.json()["items"]]


def ask(client, action="sync-invoices", body=ADA, **headers):
    response = client.post(f"/actions/{action}", body, content_type="application/json", headers=headers)
    assert response.status_code == 202, response.content
    return response.json()["id"]


def refused(client, query):
    response = client.get(f"/reports?{query}")
    assert response.status_code == 400
    [error] = response.json()["errors"]
    return error["parameter"], error["code"], error["detail"]


def test_several_statuses(ada, ledger):
    pending, ok, failed, cancelled = (ledger.accept() for _ in range(4))
    ledger.succeed(ok, 1, 2)
    ledger.fail(failed)
    ledger.cancel(cancelled)

    assert ids(ada, status=["failed", "cancelled"]) == [str(cancelled), str(failed)]
    assert ids(ada, status=["failed", "failed", "ok"]) == [str(failed), str(ok)]
    assert ids(ada, status="pending") == [str(pending)]
    assert refused(ada, "status=failed&status=done")[:2] == ("status", "invalid")
    assert "status=failed&status=cancelled" in refused(ada, "status=failed,cancelled")[2]


def test_parameters_that_the_action_declares(ada, bob):
    first, second, other = ask(ada), ask(ada), ask(ada, body=BOB)
    ask(bob)
    customer = ask(ada, "invoice-customer", {"email": "a@example.com", "name": "A", "amount": "1", "reference": "r:1"})

    assert ids(ada, action="sync-invoices", parameter="customer_id:cus_ada") == [second, first]
    assert ids(ada, action="sync-invoices", parameter="customer_id:cus_bob") == [other]
    assert ids(ada, action="sync-invoices", parameter="customer_id:cus_eve") == []
    assert ids(ada, action="invoice-customer", parameter=["email:a@example.com", "reference:r:1"]) == [customer]
    assert ids(ada, action="invoice-customer", parameter=["email:a@example.com", "reference:r:2"]) == []


@pytest.mark.parametrize(
    ("query", "code", "said"),
    [
        ("parameter=customer_id:x", "invalid", "Give the action as well"),
        ("action=no-more-there&parameter=customer_id:x", "invalid", "one that there is"),
        ("action=sync-invoices&parameter=customer_id", "invalid", "Use <name>:<value>"),
        ("action=sync-invoices&parameter=customer:x", "invalid", "can be found by: customer_id"),
        ("action=sync-all-invoices&parameter=customer:x", "invalid", "can be found by: none"),
        ("action=sync-invoices&parameter=customer_id:no spaces", "invalid", "No report has this customer_id: "),
        ("action=sync-invoices&parameter=customer_id:x&parameter=customer_id:y", "contradictory", "once"),
    ],
)
def test_what_is_no_parameter_to_filter_by(ada, query, code, said):
    parameter, refusal, detail = refused(ada, quote(query, safe="=&:"))

    assert (parameter, refusal) == ("parameter", code)
    assert said in detail


def test_the_catalogue_tells_what_can_be_filtered_by(ada):
    actions = {item["name"]: item["filterable"] for item in ada.get("/actions").json()["items"]}

    assert actions["sync-invoices"] == ["customer_id"]
    assert actions["sync-all-invoices"] == []


def test_the_key_of_the_request(ada, bob):
    with_key = ask(ada, **{"Idempotency-Key": "import-7/1"})
    ask(ada, **{"Idempotency-Key": "import-7/2"})
    ask(bob, **{"Idempotency-Key": "import-7/1"})

    assert ids(ada, idempotency_key="import-7/1") == [with_key]
    assert ids(ada, idempotency_key="import-7/3") == []
    assert refused(ada, "idempotency_key=")[:2] == ("idempotency_key", "invalid")
    assert refused(ada, "idempotency_key=%0A")[:2] == ("idempotency_key", "invalid")


def test_the_code_of_the_error(ada, ledger):
    gone, retried = ledger.accept(), ledger.accept()
    ledger.fail(gone)
    ledger.fail(retried)
    ledger.resume(retried)

    assert ids(ada, error_code="gone") == [str(gone)]
    assert ids(ada, error_code="timed_out") == []
    assert ids(ada, error_code="gone", status="ok") == []
    assert refused(ada, "error_code=%00")[:2] == ("error_code", "invalid")
    assert refused(ada, "error_code=" + "x" * 101)[:2] == ("error_code", "invalid")


def test_times_of_creation_and_of_the_end(ada, ledger):
    reports = [ledger.accept() for _ in range(3)]
    begun = AsyncActionReport.objects.get(id=reports[0]).created_at.replace(microsecond=500_000)
    for report, seconds in zip(reports, (60, 120, 180), strict=True):
        ledger.cancel(report)
        AsyncActionReport.objects.filter(id=report).update(
            created_at=begun + timedelta(seconds=seconds / 10), finished_at=begun + timedelta(seconds=seconds)
        )

    def at(seconds):
        return (begun + timedelta(seconds=seconds)).isoformat()

    oldest, between, newest = map(str, reports)
    assert ids(ada, created_after=at(12)) == [newest, between]
    assert ids(ada, created_before=at(12)) == [oldest]
    assert ids(ada, created_after=at(6), created_before=at(18)) == [between, oldest]
    assert ids(ada, finished_after=at(120), finished_before=at(180)) == [between]
    assert ids(ada, created_after=at(3600)) == []


@pytest.mark.parametrize("name", ["created_after", "created_before", "finished_after", "finished_before"])
@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-24", "2026-11-24T08:00:00", "0001-01-01T00:00:00Z"])
def test_what_is_no_time(ada, name, text):
    assert refused(ada, f"{name}={text}")[:2] == (name, "invalid")


def test_the_oldest_first_page_by_page(ada, ledger):
    reports = [str(ledger.accept()) for _ in range(5)]
    first = ada.get("/reports?order=oldest&limit=2").json()
    reports.append(str(ledger.accept()))
    rest = ada.get(f"/reports?order=oldest&limit=9&cursor={first['next_cursor']}").json()

    assert [item["id"] for item in first["items"] + rest["items"]] == reports
    assert ids(ada, order="newest") == reports[::-1]
    assert refused(ada, "order=random")[:2] == ("order", "invalid")


def test_a_cursor_is_of_one_list_in_one_order(ada, ledger):
    report, other, _ = (ledger.accept() for _ in range(3))
    paths = ("/reports?", "/reports?order=oldest&", f"/reports/{report}/tasks?", f"/reports/{other}/tasks?")
    cursors = {path: ada.get(f"{path}limit=1").json()["next_cursor"] for path in paths}
    for path in paths:
        for of, cursor in cursors.items():
            response = ada.get(f"{path}cursor={cursor}")
            assert response.status_code == (200 if of == path else 400), (path, of)
            assert of == path or response.json()["errors"][0]["parameter"] == "cursor"
    # What does not change the order may be given anew, and the order that there is without the parameter be named.
    assert ada.get(f"/reports?order=newest&limit=7&cursor={cursors['/reports?']}").status_code == 200


@pytest.mark.usefixtures("remembering")
def test_all_filters_together_cost_one_query(ada, django_assert_num_queries):
    ada.get("/reports")
    report = ask(ada, **{"Idempotency-Key": "k"})
    everything = {
        "action": "sync-invoices",
        "status": ["pending", "running", "failed"],
        "parameter": "customer_id:cus_ada",
        "idempotency_key": "k",
        "created_after": "2020-01-01T00:00:00Z",
        "created_before": "2120-01-01T00:00:00Z",
        "order": "oldest",
    }

    with django_assert_num_queries(1):
        assert ids(ada, **everything) == [report]


def test_operators_filter_what_everybody_asked_for(staff, ada, bob):
    first, second = ask(ada), ask(bob)

    assert ids(staff, action="sync-invoices", parameter="customer_id:cus_ada") == [second, first]
