"""Where requests come from, and those from where too many tokens and passwords were wrong."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings

from api.quotas import Quota, take
from api.throttling import exceeded, quota_of

# Whoever has one address of IPv6 has all those that begin like it.
_OWN_PREFIX = 64


def wrong_tokens() -> Quota | None:
    """Return how many tokens that nobody has may come from one network; ``None`` without a limit."""
    return quota_of("failed-authentications", settings.THROTTLE_FAILED_AUTHENTICATIONS)


def wrong_passwords() -> Quota | None:
    """Return how many wrong names and passwords may come from one network; ``None`` without a limit."""
    return quota_of("failed-logins", settings.THROTTLE_FAILED_LOGINS)


def refuse_guessing(quota: Quota | None, request: Any) -> None:
    """Refuse a request from where too much was wrong lately. Raises ProblemError."""
    standing = take(quota, network_of(request), cost=0) if quota else None
    if quota and standing and standing.left < 1:
        raise exceeded(quota, standing.wait)


def count_wrong_guess(quota: Quota | None, request: Any) -> None:
    """Count a token or a password that was wrong."""
    if quota:
        take(quota, network_of(request))


def network_of(request: Any) -> str:
    """Return where a request comes from: an IPv4 address, or the network that an IPv6 address is of.

    With ``BEHIND_PROXY`` it is the last one in X-Forwarded-For, which the proxy itself has written.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:
        text = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() or text
    try:
        address = ip_address(text)
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network((address, _OWN_PREFIX), strict=False))
    return str(address)
