"""The tokens that this process has seen: one is looked up every few seconds, not for every request.

A token itself is nowhere: it is known by its digest, as in the database. A token that was revoked, or whose client was
deactivated or lost a permission, goes on for ``TOKEN_CACHE_SECONDS`` at most.
"""

from dataclasses import dataclass
from threading import Lock
from time import monotonic

from django.conf import settings
from knox.models import AuthToken

_MOST = 4_000


@dataclass(frozen=True, slots=True)
class KnownToken:
    """A token with its client, whose permissions are loaded."""

    token: AuthToken
    read_at: float

    @property
    def is_fresh(self) -> bool:
        """Tell whether it need not be looked up again yet."""
        return bool(monotonic() - self.read_at < settings.TOKEN_CACHE_SECONDS)


class KnownTokens:
    """The tokens that were found, also those that were revoked since. Those that came first are forgotten first."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: dict[str, KnownToken] = {}
        self._lock = Lock()

    def find(self, digest: str) -> KnownToken | None:
        """Return what is known of a token, fresh or not."""
        return self._known.get(digest)

    def remember(self, token: AuthToken) -> KnownToken:
        """Note that a token was just found."""
        known = KnownToken(token, monotonic())
        with self._lock:
            self._known.pop(token.digest, None)
            if len(self._known) >= self._most:
                del self._known[next(iter(self._known))]
            self._known[token.digest] = known
        return known

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._known.clear()


known_tokens = KnownTokens()
