"""The header ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header): a client's own name for a request."""

import re

from rest_framework.request import Request

from api.headers import header
from api.problems import IDEMPOTENCY_KEY_INVALID, ProblemError

LONGEST_KEY = 255
REPLAYED = "Idempotent-Replayed"
# What a key is made of: the characters that a structured field's string may have (RFC 9651).
KEY = rf"^[ -~]{{1,{LONGEST_KEY}}}\Z"
# A string in quotation marks, as the draft has it, or the key as it is, as many clients send it.
KEY_HEADER = rf'^("([ !#-\[\]-~]|\\["\\]){{1,{LONGEST_KEY}}}"|[!#-+\--:<-\[\]-~]{{1,{LONGEST_KEY}}})$'

_HEADER = re.compile(KEY_HEADER.removesuffix("$") + r"\Z")
_LONG = re.compile(_HEADER.pattern.replace(f"{{1,{LONGEST_KEY}}}", "+"))
_ESCAPED = re.compile(r'\\(["\\])')
_ADVICE = (
    f'Use one string of 1 to {LONGEST_KEY} ASCII characters, such as "8e03978e-40d5-43e8-bc93-6894a57f9324", in'
    " quotation marks or, without spaces, quotation marks, commas, semicolons and backslashes, as it is."
)


def key_of(request: Request) -> str | None:
    """Return the key that is in the request's header, without its quotation marks. Raises ProblemError."""
    given = header(request, "Idempotency-Key")
    if given is None:
        return None
    if not _HEADER.match(given):
        fault = f"has a key of more than {LONGEST_KEY} characters" if _LONG.match(given) else "holds no key"
        raise ProblemError(IDEMPOTENCY_KEY_INVALID, f"The header Idempotency-Key {fault}. {_ADVICE}")
    return _ESCAPED.sub(r"\1", given[1:-1]) if given.startswith('"') else given


def refuse_key(request: Request) -> None:
    """Refuse the header where a request cannot have one key. Raises ProblemError."""
    if header(request, "Idempotency-Key") is not None:
        detail = "A batch has no key of its own; give its requests keys, by their idempotency_key."
        raise ProblemError(IDEMPOTENCY_KEY_INVALID, detail)
