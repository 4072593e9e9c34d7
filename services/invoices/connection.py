import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from ssl import SSLContext

import httpx
import orjson

from services.invoices.errors import (
    InvoicesPlusAuthenticationError,
    InvoicesPlusError,
    InvoicesPlusRateLimitedError,
    InvoicesPlusRequestError,
    InvoicesPlusResponseError,
    InvoicesPlusResponseTooLargeError,
    InvoicesPlusUnavailableError,
)

MAX_RESPONSE_BYTES = 1024 * 1024
MAX_RETRY_AFTER = 3600.0  # seconds
MAX_REASON_CHARACTERS = 200

_KEY = re.compile(r"[!-~]+")  # what a header carries; the HTTP library would quote anything else in its error
_SECONDS = re.compile(r"\d{1,9}", re.ASCII)


class InvoicesPlusConnection:
    """Makes single calls to InvoicesPlus: JSON there, JSON back, and one typed error for each way to fail.

    A call takes about twice ``timeout`` seconds at most and reads MAX_RESPONSE_BYTES at most. No message of an error
    ever holds the API key.
    """

    def __init__(self, url: str, api_key: str, timeout: float) -> None:
        if not _KEY.fullmatch(api_key):
            raise InvoicesPlusAuthenticationError(
                "INVOICES_PLUS_API_KEY is empty or has characters that no key has. Set it to a key of InvoicesPlus."
            )
        self._api_key = api_key
        self._timeout = timeout
        self._http = httpx.Client(
            base_url=url,
            timeout=timeout,
            verify=_certificates(),
            headers={
                "Authorization": f"Bearer {api_key}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",  # the limit on bytes is then one on memory, too
                "User-Agent": "async-actions",
            },
        )

    def close(self) -> None:
        self._http.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        document: Mapping[str, str] | None = None,
        errors: Mapping[int, InvoicesPlusError] | None = None,
    ) -> object:
        """Make one call and return the JSON of its answer.

        ``errors`` says what a status means to this call, where it means more than to every other: {404: …}.
        """
        place = f"{method} {path}"
        deadline = time.monotonic() + self._timeout
        try:
            with self._http.stream(method, path, params=query, json=document) as response:
                body = _read(response, place, deadline)
        except httpx.TransportError as error:
            problem = f"{place}: InvoicesPlus did not answer ({type(error).__name__}: {error})."
            raise InvoicesPlusUnavailableError(problem) from error
        if response.is_success:
            return _parse(body, place)
        raise (errors or {}).get(response.status_code) or self._error(response, place, body)

    def _error(self, response: httpx.Response, place: str, body: bytes) -> InvoicesPlusError:
        status = response.status_code
        problem = f"{place}: InvoicesPlus answered {status}"
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return InvoicesPlusAuthenticationError(
                f"{problem}. Set INVOICES_PLUS_API_KEY to a key with the rights for this call."
            )
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return InvoicesPlusRateLimitedError(f"{problem}: too many calls.", retry_after=_retry_after(response))
        if response.is_server_error or status == httpx.codes.REQUEST_TIMEOUT:
            return InvoicesPlusUnavailableError(f"{problem}.", retry_after=_retry_after(response))
        if response.is_client_error:
            return InvoicesPlusRequestError(f"{problem}: {self._reason(body)}")
        return InvoicesPlusResponseError(f"{problem}, which no call expects.")

    def _reason(self, body: bytes) -> str:
        """What InvoicesPlus says is wrong with the request, in a form that may be shown."""
        try:
            reason = orjson.loads(body)["error"]["message"]
        except (orjson.JSONDecodeError, LookupError, TypeError):
            reason = None
        if not isinstance(reason, str) or not reason:
            return "it did not say why."
        return reason.replace(self._api_key, "…").replace("\x00", "")[:MAX_REASON_CHARACTERS]


def _read(response: httpx.Response, place: str, deadline: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MAX_RESPONSE_BYTES:
            raise InvoicesPlusResponseTooLargeError(
                f"{place}: the answer of InvoicesPlus has more than {MAX_RESPONSE_BYTES} bytes."
            )
        if time.monotonic() > deadline:
            raise InvoicesPlusUnavailableError(f"{place}: the answer of InvoicesPlus takes too long to arrive.")
    return bytes(body)


def _parse(body: bytes, place: str) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # The error of the parser holds the whole answer: it stays out of the traceback.
        raise InvoicesPlusResponseError(f"{place}: the answer of InvoicesPlus is not JSON.") from None


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the Retry-After header asks for, as a number or as a date."""
    value = response.headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), MAX_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


@cache
def _certificates() -> SSLContext:
    """Loading them takes longer than most calls: once for each process is enough."""
    return httpx.create_ssl_context()
