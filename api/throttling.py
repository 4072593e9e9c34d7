"""How much each client may ask for, and how it is told: by the RateLimit fields of every answer.

They are structured fields (RFC 9651), as draft-ietf-httpapi-ratelimit-headers has them since its version 08.
"""

from typing import Any

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from api.problems import PARAMETERS_INVALID, THROTTLED, ProblemError
from api.quotas import Quota, Standing, take


class ClientThrottle(BaseThrottle):
    """Counts what a client reads and what it submits, each by itself. Who has no token is nobody's to count."""

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count a request and have its answer say what is left. Raises ProblemError where nothing is."""
        quota = _read_quota() if request.method in SAFE_METHODS else _submit_quota()
        if request.user.is_authenticated:
            _charge(view, quota, request, cost=1)
        return True


def charge_submitted(view: Any, request: Request, count: int) -> None:
    """Count ``count`` more requests that came in one, all of them or none. Raises ProblemError where it is too many.

    More than the quota ever is would be refused however long its client waited: that is told so, and not counted.
    """
    quota = _submit_quota()
    if quota and count + 1 > quota.limit:
        detail = f"The quota {quota.name} is {quota.limit:,} requests: a batch may have no more than that."
        errors = [{"pointer": "#/requests", "code": "max_length", "detail": detail}]
        raise ProblemError(PARAMETERS_INVALID, detail, errors=errors)
    if count:
        _charge(view, quota, request, cost=count)


def exceeded(quota: Quota, wait: int) -> ProblemError:
    """Return the answer to whoever has to wait, in seconds, because a quota is used up."""
    seconds = max(1, wait)
    return ProblemError(
        THROTTLED,
        f"The quota {quota.name} is {quota.limit:,} requests in {quota.window:,} s. Wait for {seconds} s.",
        headers={"Retry-After": str(seconds)},
        members={"violated-policies": [quota.name]},
    )


def quota_of(name: str, setting: tuple[int, int] | None) -> Quota | None:
    """Return the quota of this name that a setting allows; ``None`` without a limit."""
    return Quota(name, *setting) if setting else None


def _charge(view: Any, quota: Quota | None, request: Request, *, cost: int) -> None:
    standing = take(quota, str(request.user.pk), cost=cost) if quota else None
    if quota is None or standing is None:
        return
    view.headers |= {"RateLimit-Policy": _policy(quota), "RateLimit": _limit(quota, standing)}
    if not standing.taken:
        raise exceeded(quota, standing.wait)


def _read_quota() -> Quota | None:
    return quota_of("read", settings.THROTTLE_READ)


def _submit_quota() -> Quota | None:
    return quota_of("submit", settings.THROTTLE_SUBMIT)


def _policy(quota: Quota) -> str:
    return f'"{quota.name}";q={quota.limit};w={quota.window}'


def _limit(quota: Quota, standing: Standing) -> str:
    return f'"{quota.name}";r={standing.left};t={standing.wait}'
