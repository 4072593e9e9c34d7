"""What the doctor finds, in plain words, and without secrets."""

from dataclasses import dataclass
from enum import StrEnum

from reports.redaction import redact


class Verdict(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    MIND = "mind"  # it works, and somebody should know
    WRONG = "wrong"  # it does not, or will not


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found. ``advice`` says what to do about it; what is ok needs none."""

    verdict: Verdict
    what: str
    advice: str = ""


def ok(what: str) -> Finding:
    """Return that something is as it should be."""
    return Finding(Verdict.OK, what)


def mind(what: str, advice: str) -> Finding:
    """Return what somebody should know."""
    return Finding(Verdict.MIND, what, advice)


def wrong(what: str, advice: str) -> Finding:
    """Return what is wrong."""
    return Finding(Verdict.WRONG, what, advice)


def reason(error: BaseException) -> str:
    """Return what an error says, in a line and without secrets."""
    return redact(" ".join(str(error).split()) or type(error).__name__).rstrip(".")


def duration(seconds: float) -> str:
    """Return a length of time as a person would say it: 40 s, 12 min, 3 h, 2 d."""
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < most * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def number(count: int, noun: str) -> str:
    """Return a count with its noun: 1 task, 2 tasks."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
