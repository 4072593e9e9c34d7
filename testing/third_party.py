"""A third party that answers as a test wants it to: for services that call theirs by httpx."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import httpx

Answer = int | httpx.Response | Exception | dict[str, Any] | list[Any]


@contextmanager
def third_party(*answers: Answer | Callable[[httpx.Request], Answer]) -> Iterator[list[httpx.Request]]:
    """Have calls by httpx answered by these, one after another; none of them reaches the network.

    An answer is a status, a JSON document (with 200), a whole ``httpx.Response``, an exception to be raised, such as
    ``httpx.ConnectTimeout("No answer.")``, or a function that makes one of these from the request. Yields the requests
    that were made so far.

    Raises:
        AssertionError: there was one call more than there are answers.

    """
    calls: list[httpx.Request] = []

    def answer(_: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        request.read()
        calls.append(request)
        if len(calls) > len(answers):
            raise AssertionError(f"There is no answer for call {len(calls)}, {request.method} {request.url}.")
        given = answers[len(calls) - 1]
        return _response(given(request) if callable(given) else given)

    with patch.object(httpx.HTTPTransport, "handle_request", answer):
        yield calls


def _response(answer: Answer) -> httpx.Response:
    if isinstance(answer, Exception):
        raise answer
    if isinstance(answer, int):
        answer = httpx.Response(answer)
    elif not isinstance(answer, httpx.Response):
        answer = httpx.Response(200, json=answer)
    # One that nobody has read yet, as from the network.
    return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.content))
