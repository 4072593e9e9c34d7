"""Whether two requests ask for the same: a digest of what they ask for, not of how it is written."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import orjson

_LEAST, _MOST = -(2**63), 2**64 - 1  # of what is written as an integer


def fingerprint(action: str, parameters: Any, timing: Mapping[str, str]) -> str:
    """Return the SHA-256, in hexadecimal, of a request: its action, its parameters as JSON values, and its timing.

    Both are taken as they were sent, before defaults: what an action makes of them may change from one release to the
    next, and a repeated request must not become another one by that. White space, the order of members and the
    spelling of numbers and characters do not matter, as in RFC 8785.
    """
    asked = {"action": action, "parameters": _canonical(parameters), "timing": dict(timing)}
    return sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _canonical(value: Any) -> Any:
    """Return the value with 5.0 as 5: to JSON they are one number."""
    if isinstance(value, dict):
        return {name: _canonical(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and _LEAST <= value <= _MOST else value
