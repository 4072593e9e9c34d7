import json
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from sandbox.server import MAX_BODY_BYTES, Sandbox

ORDER = {"customer_id": "cus_ada", "amount": "12.50", "currency": "EUR", "reference": "order-1"}


def test_lists_customers(http):
    document = http.get("/customers").json()
    assert document["data"][0] == {"id": "cus_ada", "email": "ada@example.com", "name": "Ada Lovelace"}
    assert document["next_page"] is None


def test_customers_that_fail_on_purpose_are_not_listed(http):
    for customer in http.get("/customers").json()["data"]:
        assert http.get(f"/customers/{customer['id']}/invoices").status_code == 200


def test_finds_a_customer_by_email_whatever_its_case(http):
    assert [one["id"] for one in http.get("/customers", params={"email": " Ada@Example.com"}).json()["data"]] == [
        "cus_ada"
    ]
    assert http.get("/customers", params={"email": "nobody@example.com"}).json()["data"] == []


def test_pages_follow_each_other_to_the_end(http):
    pages = [http.get("/customers/cus_grace/invoices", params={"page": n}).json() for n in (1, 2, 3, 4)]
    assert [(len(page["data"]), page["next_page"]) for page in pages] == [(50, 2), (50, 3), (20, None), (0, None)]
    assert len({invoice["id"] for page in pages for invoice in page["data"]}) == 120


def test_is_the_same_after_a_restart():
    answers = []
    for _ in range(2):
        with Sandbox() as sandbox, httpx.Client(headers={"Authorization": f"Bearer {sandbox.api_key}"}) as http:
            created = http.post(f"{sandbox.url}/customers", json={"email": "new@example.com", "name": "New"})
            seeded = http.get(f"{sandbox.url}/customers/cus_grace/invoices")
            answers.append((created.json(), seeded.json()))
    assert answers[0] == answers[1]


def test_creates_a_customer_once(http):
    created = http.post("/customers", json={"email": "New@example.com", "name": "New"})
    assert created.status_code == 201
    assert created.json()["email"] == "new@example.com"
    assert http.post("/customers", json={"email": "new@example.com", "name": "Other"}).status_code == 409
    assert http.get("/customers", params={"email": "new@example.com"}).json()["data"] == [created.json()]
    assert http.get(f"/customers/{created.json()['id']}/invoices").json()["data"] == []


def test_of_customers_created_at_once_one_comes_to_be(http):
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda n: http.post("/customers", json={"email": "a@b.c", "name": str(n)}), range(8))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7


def test_a_reference_stands_for_one_invoice(http):
    first, again = http.post("/invoices", json=ORDER), http.post("/invoices", json=ORDER)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert http.post("/invoices", json={**ORDER, "amount": "13.00"}).status_code == 409
    assert len(http.get("/customers/cus_ada/invoices").json()["data"]) == 4


def test_unknown_customers_are_not_found(http):
    assert http.get("/customers/cus_nobody/invoices").status_code == 404
    assert http.post("/invoices", json={**ORDER, "customer_id": "cus_nobody"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/customers", {"email": "a@example.com"}),
        ("/customers", {"email": "no address", "name": "A"}),
        ("/customers", {"email": "a@example.com", "name": 7}),
        ("/customers", {"email": "a@example.com", "name": "\ud800"}),
        ("/customers", {"email": "a@example.com", "name": "n" * 201}),
        ("/customers", ["a@example.com"]),
        ("/invoices", {**ORDER, "amount": "12.5"}),
        ("/invoices", {**ORDER, "amount": 12.5}),
        ("/invoices", {**ORDER, "amount": "-12.50"}),
        ("/invoices", {**ORDER, "currency": "eur"}),
        ("/invoices", {**ORDER, "reference": " "}),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_reason(http, path, document):
    answer = http.post(path, content=json.dumps(document))
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("page", ["0", "-1", "one", "1.5", "9999999999"])
def test_a_page_is_a_number_from_one(http, page):
    assert http.get("/customers", params={"page": page}).status_code == 422


def test_a_body_that_is_not_json_is_refused(http):
    assert http.post("/customers", content=b'{"email": ').status_code == 400
    assert http.post("/customers", content=b"[" * 50_000).status_code == 400


def test_a_body_that_is_too_long_is_refused_and_the_connection_closed(http):
    answer = http.post("/customers", content=b" " * (MAX_BODY_BYTES + 1))
    assert answer.status_code == 413
    assert answer.headers["Connection"] == "close"


def test_a_body_without_a_length_is_refused(http):
    assert http.post("/customers", content=iter([b"{}"])).status_code == 413


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer wrong", "Bearer sandbox-key ä", "sandbox-key"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/customers"), ("PUT", "/faults"), ("GET", "/nowhere")])
def test_nothing_is_open_without_the_key(sandbox, method, path, authorization):
    headers = {} if authorization is None else {"Authorization": authorization.encode()}
    assert httpx.request(method, sandbox.url + path, headers=headers).status_code == 401


def test_health_needs_no_key(sandbox):
    assert httpx.get(f"{sandbox.url}/health").json() == {"status": "ok"}


def test_unknown_paths_are_not_found(http):
    assert http.get("/nowhere").status_code == 404
    assert http.delete("/customers").status_code == 404


def test_a_connection_serves_many_calls(sandbox):
    request = f"GET /customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {sandbox.api_key}\r\n\r\n".encode()
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection, connection.makefile("rb") as file:
        for _ in range(3):
            connection.sendall(request)
            assert file.readline() == b"HTTP/1.1 200 OK\r\n"
            headers = dict(line.split(b": ", 1) for line in iter(file.readline, b"\r\n"))
            file.read(int(headers[b"Content-Length"]))


def test_a_stopped_sandbox_answers_nobody(sandbox):
    with Sandbox() as gone, httpx.Client(base_url=gone.url) as http:
        http.get("/health")
        gone.__exit__(None, None, None)
        with pytest.raises(httpx.TransportError):  # over the connection that was kept
            http.get("/health")
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{gone.url}/health")


def test_says_nothing_about_calls_and_clients_that_go_away(sandbox, http, capfd):
    http.get("/customers")
    http.close()
    port = int(sandbox.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # hang up, do not part
        connection.sendall(b"POST /customers HTTP/1.1\r\nContent-Length: 10\r\n\r\n")
        wait_for(lambda: sandbox._server._connections)
    wait_for(lambda: not sandbox._server._connections)
    assert capfd.readouterr() == ("", "")


def wait_for(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
