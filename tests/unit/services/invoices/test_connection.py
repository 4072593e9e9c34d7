import gzip
import re
import socket
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sandbox.faults import Fault
from services.invoices import connection
from services.invoices.connection import MAX_REASON_CHARACTERS, MAX_RETRY_AFTER, InvoicesPlusConnection
from services.invoices.errors import (
    CustomerNotFoundError,
    InvoicesPlusAuthenticationError,
    InvoicesPlusError,
    InvoicesPlusRateLimitedError,
    InvoicesPlusRequestError,
    InvoicesPlusResponseError,
    InvoicesPlusResponseTooLargeError,
    InvoicesPlusUnavailableError,
)
from tests.unit.services.invoices.conftest import SECRET


def call(sandbox, *, timeout=5.0, **options):
    """Call, and see to it that no failure shows the key, not even in its traceback."""
    connection = InvoicesPlusConnection(sandbox.url, SECRET, timeout)
    try:
        return connection.call("GET", "/customers", **options)
    except InvoicesPlusError as error:
        if not str(error) or SECRET in "".join(traceback.format_exception(error)):
            pytest.fail("The error shows nothing, or the key.")
        raise
    finally:
        connection.close()


@pytest.fixture
def raw_answer():
    """Call a server that answers once, with these bytes or what this makes of the request, and hangs up."""

    def answer_with(answer):
        def serve():
            peer, _ = server.accept()
            with peer:
                request = peer.recv(65536)
                peer.sendall(answer(request) if callable(answer) else answer)

        with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
            served = pool.submit(serve)
            connection = InvoicesPlusConnection(f"http://127.0.0.1:{server.getsockname()[1]}", SECRET, 5)
            try:
                return connection.call("GET", "/customers")
            finally:
                connection.close()
                served.result(timeout=5)

    return answer_with


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, InvoicesPlusRequestError),
        (401, InvoicesPlusAuthenticationError),
        (403, InvoicesPlusAuthenticationError),
        (404, InvoicesPlusRequestError),
        (408, InvoicesPlusUnavailableError),
        (409, InvoicesPlusRequestError),
        (422, InvoicesPlusRequestError),
        (429, InvoicesPlusRateLimitedError),
        (500, InvoicesPlusUnavailableError),
        (502, InvoicesPlusUnavailableError),
        (503, InvoicesPlusUnavailableError),
        (599, InvoicesPlusUnavailableError),
    ],
)
def test_each_status_has_its_error(sandbox, status, expected):
    sandbox.faults.switch_on(Fault(kind="status", status=status))
    with pytest.raises(InvoicesPlusError, match=f"GET /customers: InvoicesPlus answered {status}") as failure:
        call(sandbox)
    assert type(failure.value) is expected


def test_a_redirect_is_not_followed(sandbox, say, calls):
    say(302, {}, Location="/customers/cus_ada/invoices")
    with pytest.raises(InvoicesPlusResponseError, match="302"):
        call(sandbox)
    assert calls == []


def test_a_call_may_say_what_a_status_means_to_it(sandbox):
    sandbox.faults.switch_on(Fault(kind="status", status=404), Fault(kind="status", status=500))
    meaning = CustomerNotFoundError("Nobody.")
    with pytest.raises(CustomerNotFoundError, match="Nobody"):
        call(sandbox, errors={404: meaning})
    with pytest.raises(InvoicesPlusUnavailableError):
        call(sandbox, errors={404: meaning})


def test_the_wrong_key_is_refused(sandbox):
    connection = InvoicesPlusConnection(sandbox.url, "another-key", 5)
    with pytest.raises(InvoicesPlusAuthenticationError, match="INVOICES_PLUS_API_KEY") as failure:
        connection.call("GET", "/customers")
    connection.close()
    assert "another-key" not in str(failure.value)


@pytest.mark.parametrize("key", ["", "two words", f"{SECRET}\n", f"{SECRET}\r\nX: y", f"{SECRET}ä", "\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_showing_it(sandbox, key):
    with pytest.raises(InvoicesPlusAuthenticationError, match="INVOICES_PLUS_API_KEY") as failure:
        InvoicesPlusConnection(sandbox.url, key, 5)
    assert SECRET not in "".join(traceback.format_exception(failure.value))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("999999999", MAX_RETRY_AFTER),
        ("9" * 5000, None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("Mon, 01 Jan 2001 00:00:00 GMT", 0),
        ("Fri, 01 Jan 2999 00:00:00 GMT", MAX_RETRY_AFTER),
        ("Fri, 01 Jan 2999 00:00:00", MAX_RETRY_AFTER),
        ("Fri, 99 Jan 2999 00:00:00 GMT", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_taken_from_the_answer(sandbox, say, status, header, seconds):
    say(status, {}, Retry_After=header)
    with pytest.raises(InvoicesPlusUnavailableError) as failure:
        call(sandbox)
    assert failure.value.retry_after == seconds


def test_retry_after_as_a_date(sandbox, say):
    say(429, {}, Retry_After=format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True))
    with pytest.raises(InvoicesPlusRateLimitedError) as failure:
        call(sandbox)
    assert 90 < failure.value.retry_after <= 100


def test_without_retry_after_there_is_none(sandbox):
    sandbox.faults.switch_on(Fault(kind="status", status=429))
    with pytest.raises(InvoicesPlusRateLimitedError) as failure:
        call(sandbox)
    assert failure.value.retry_after is None


def test_a_refused_connection(sandbox):
    sandbox.__exit__(None, None, None)
    with pytest.raises(InvoicesPlusUnavailableError, match=r"ConnectError: .*refused"):
        call(sandbox)


def test_a_name_that_does_not_resolve():
    connection = InvoicesPlusConnection("http://invoices-plus.invalid", SECRET, 5)
    with pytest.raises(InvoicesPlusUnavailableError, match="did not answer"):
        connection.call("GET", "/customers")
    connection.close()


def test_a_connection_closed_without_an_answer(sandbox):
    sandbox.faults.switch_on(Fault(kind="disconnect"))
    with pytest.raises(InvoicesPlusUnavailableError, match="did not answer"):
        call(sandbox)


def test_an_answer_that_does_not_come(sandbox):
    sandbox.faults.switch_on(Fault(kind="slow", delay=60))
    with pytest.raises(InvoicesPlusUnavailableError, match="ReadTimeout"):
        call(sandbox, timeout=0.2)


def test_an_answer_that_comes_in_drops(sandbox):
    """Each drop is in time. The whole is not: it would take 20 seconds and more."""
    sandbox.faults.switch_on(Fault(kind="drip", delay=0.05))
    began = time.monotonic()
    with pytest.raises(InvoicesPlusUnavailableError, match="too long"):
        call(sandbox, timeout=0.3)
    assert time.monotonic() - began < 2


def test_an_answer_that_is_not_json(sandbox):
    sandbox.faults.switch_on(Fault(kind="malformed"))
    with pytest.raises(InvoicesPlusResponseError, match="not JSON") as failure:
        call(sandbox)
    # The parser's error holds the whole answer.
    assert failure.value.__suppress_context__


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'"\xff"', b"NaN", b"[1,", b"[" * 100_000 + b"]" * 100_000, gzip.compress(b"[]")],
    ids=["empty", "html", "not utf-8", "not a number", "cut off", "too deep", "compressed"],
)
def test_a_body_that_is_not_json(raw_answer, body):
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
    with pytest.raises(InvoicesPlusResponseError, match="not JSON"):
        raw_answer(head.encode() + body)


def test_no_compressed_answer_is_asked_for(raw_answer):
    """A small one could unpack to any size; one that comes all the same is not unpacked, see above."""

    def answer(request):
        wanted = re.search(rb"\r\naccept-encoding: (.*)\r\n", request, re.IGNORECASE)[1]
        return b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"%s"' % (len(wanted) + 2, wanted)

    assert raw_answer(answer) == "identity"


def test_an_answer_that_stops_half_way(raw_answer):
    with pytest.raises(InvoicesPlusUnavailableError, match="did not answer"):
        raw_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2")


def test_an_answer_that_is_not_http(raw_answer):
    with pytest.raises(InvoicesPlusUnavailableError, match="did not answer"):
        raw_answer(b"SSH-2.0-OpenSSH_9.2\r\n")


def test_an_answer_up_to_the_limit_is_read_and_not_a_byte_more(sandbox, say, monkeypatch):
    say(200, "x" * 98)  # and two quotes
    monkeypatch.setattr(connection, "MAX_RESPONSE_BYTES", 100)
    assert call(sandbox) == "x" * 98
    monkeypatch.setattr(connection, "MAX_RESPONSE_BYTES", 99)
    with pytest.raises(InvoicesPlusResponseTooLargeError, match="99 bytes"):
        call(sandbox)


def test_an_answer_without_end_is_not_kept(sandbox, say):
    say(200, "x" * 3_000_000)
    with pytest.raises(InvoicesPlusResponseTooLargeError):
        call(sandbox)


def test_the_reason_for_a_refusal_is_told(sandbox, say):
    say(422, {"error": {"message": "currency is not one"}})
    with pytest.raises(InvoicesPlusRequestError, match="currency is not one"):
        call(sandbox)


@pytest.mark.parametrize("document", [None, [], {}, {"error": None}, {"error": {"message": 7}}, {"error": "no"}])
def test_a_refusal_without_a_reason_says_so(sandbox, say, document):
    say(422, document)
    with pytest.raises(InvoicesPlusRequestError, match="did not say why"):
        call(sandbox)


def test_a_reason_that_quotes_the_key_is_shown_without_it(sandbox, say):
    say(400, lambda call: {"error": {"message": f"bad {call.authorization} header"}})
    with pytest.raises(InvoicesPlusRequestError, match="bad Bearer … header"):
        call(sandbox)


def test_a_reason_is_cut_and_has_no_nul(sandbox, say):
    say(400, {"error": {"message": "\x00" + "x" * 10_000}})
    with pytest.raises(InvoicesPlusRequestError) as failure:
        call(sandbox)
    assert "\x00" not in str(failure.value)
    assert str(failure.value).count("x") == MAX_REASON_CHARACTERS
