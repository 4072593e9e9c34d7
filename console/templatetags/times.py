"""Words for times, as the operators' pages use them."""

from datetime import datetime

from django import template

from services.doctor.findings import duration

register = template.Library()

_NONE = "\N{EN DASH}"
_PRECISE = 10.0  # seconds, below which their parts count


@register.filter
def lasting(seconds: float | None) -> str:
    """Return a length of time as a person would say it: 240 ms, 3.2 s, 40 s, 12 min; a dash where there is none."""
    if seconds is None:
        return _NONE
    seconds = max(seconds, 0.0)
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f}".removesuffix(".0") + " s" if seconds < _PRECISE else duration(seconds)


@register.filter
def before(moment: datetime | None, now: datetime) -> str:
    """Return how long before now a moment was, or in which time it will be."""
    if moment is None:
        return _NONE
    seconds = (now - moment).total_seconds()
    return f"{duration(seconds)} ago" if seconds >= 0 else f"in {duration(-seconds)}"


@register.filter
def since(moment: datetime | None, start: datetime | None) -> str:
    """Return the time between two moments; a dash where one of them has not come."""
    return lasting((moment - start).total_seconds() if moment and start else None)


@register.filter
def stamp(moment: datetime | None) -> str:
    """Return a moment to the millisecond, in UTC."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC" if moment else _NONE
