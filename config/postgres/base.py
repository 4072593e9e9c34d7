"""Django's PostgreSQL, without a question before each request whether it is still there."""

from time import monotonic
from typing import Any

from django.db.backends.postgresql import base

# Seconds for which a connection that has answered is taken to answer again. A server that restarts within it costs
# each thread one 503; a web process would spend a tenth of a poll on asking each time.
_TRUSTED = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    health_check_done: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answered_at = -_TRUSTED

    def close_if_health_check_failed(self) -> None:
        """Ask whether the connection still works, where it is long ago that it did; once in a request at most."""
        if self.connection is None or self.health_check_done:
            return
        if monotonic() - self._answered_at <= _TRUSTED:
            self.health_check_done = True
            return
        super().close_if_health_check_failed()
        self._answered_at = monotonic()
