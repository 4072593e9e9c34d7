"""The header ``Prefer`` (RFC 7240): what a client would like. What is unknown or malformed in it is ignored."""

import re
from dataclasses import dataclass
from typing import Self

# Seconds; whoever asks for more means as long as possible.
_LONGEST_WAIT = 10**9
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_QUOTED = r'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*+"'
_SPACE = r"[ \t]*+"
_VALUE = rf"{_SPACE}={_SPACE}(?P<value>{_WORD}|{_QUOTED})"
_PARAMETER = rf"{_WORD}(?:{_SPACE}={_SPACE}(?:{_WORD}|{_QUOTED}))?+"
_PREFERENCE = re.compile(rf"(?P<name>{_WORD})(?:{_VALUE})?+(?:{_SPACE};{_SPACE}(?:{_PARAMETER})?+)*+")
# A comma within quotation marks separates nothing.
_ELEMENT = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*+(?:"|\\?\Z))++', re.DOTALL)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What this service understands of it: ``wait`` is in whole seconds, ``None`` where it is not asked for."""

    respond_async: bool = False
    wait: int | None = None

    @classmethod
    def of(cls, header: str | None) -> Self:
        """Read the header. Of a preference that is given more than once, the first one counts."""
        values: dict[str, str] = {}
        for element in _ELEMENT.findall(header or ""):
            match = _PREFERENCE.fullmatch(element.strip(" \t"))
            if match:
                values.setdefault(match["name"].lower(), _unquoted(match["value"] or ""))
        return cls(respond_async=values.get("respond-async") == "", wait=_seconds_of(values.get("wait", "")))


def applied(*, respond_async: bool = False, wait: int | None = None) -> dict[str, str]:
    """Return the header ``Preference-Applied`` for what was done, no header where nothing was."""
    preferences = [*(["respond-async"] if respond_async else []), *([] if wait is None else [f"wait={wait}"])]
    return {"Preference-Applied": ", ".join(preferences)} if preferences else {}


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _seconds_of(text: str) -> int | None:
    if not _DIGITS.fullmatch(text):
        return None
    digits = text.lstrip("0")
    return min(int(digits or 0), _LONGEST_WAIT) if len(digits) <= len(str(_LONGEST_WAIT)) else _LONGEST_WAIT
