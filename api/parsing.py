from typing import Any

import orjson
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from api.headers import header
from api.limits import require_modest
from api.problems import BODY_MALFORMED, LENGTH_REQUIRED, MEDIA_TYPE_UNSUPPORTED, ProblemError


class JsonParser(BaseParser):
    """Reads a JSON body of at most ``DATA_UPLOAD_MAX_MEMORY_SIZE`` bytes, and as modest as ``api.limits`` says."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the body's value. Raises ProblemError, and RequestDataTooBig before anything is read."""
        del media_type, parser_context
        try:
            # The whole body at once: Django checks its size on this way only.
            document = orjson.loads(stream.body)
        except orjson.JSONDecodeError as error:
            raise ProblemError(BODY_MALFORMED, f"The body is not valid JSON: {error}.") from error
        require_modest(document)
        return document


class OneFormat(BaseContentNegotiation):
    """Answers in the one format there is, whatever the client accepts: a 406 would only hide the answer."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        """Return the parser of the body's media type, ``None`` without one."""
        return next((parser for parser in parsers if _essence(request.content_type) == parser.media_type), None)

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the first renderer and its media type."""
        del request, format_suffix
        return renderers[0], renderers[0].media_type


def require_plain(request: Request) -> None:
    """Refuse a body that is compressed, or that comes without its length. Raises ProblemError."""
    encoding = header(request, "Content-Encoding")
    if encoding is not None and encoding.strip().lower() != "identity":
        detail = f"The body has the Content-Encoding {encoding[:100]}; send it as it is, without one."
        raise ProblemError(MEDIA_TYPE_UNSUPPORTED, detail, headers={"Accept-Encoding": "identity"})
    # WSGI, and so Django, reads no body without it: parameters would be lost without a word.
    if header(request, "Transfer-Encoding") is not None:
        raise ProblemError(LENGTH_REQUIRED, "The body is sent in chunks, without its length.")


def _essence(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
