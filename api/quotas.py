"""How much somebody has asked for lately, counted in Redis: at most one round trip a question, by Redis' own clock.

What is kept for each client and quota is one moment: the one at which its quota is whole again. Every request puts it
off by its share of the window; who would put it off by more than a window has to wait. (This is known as the generic
cell rate algorithm.) A quota fills up steadily and may be used up at once.

Where Redis is away nobody is refused: a limit is there to keep the service available.
"""

import logging
from dataclasses import dataclass
from functools import cache
from math import ceil
from time import monotonic
from typing import Any

from django.conf import settings
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from api.tallies import Tallies

logger = logging.getLogger(__name__)
tallies = Tallies()

# Seconds that a request waits for Redis at most, and for which a Redis that did not answer is left alone then.
_PATIENCE = 0.25
_PAUSE = 2.0
_away_until = 0.0

_TAKE = """
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now, share = time[1] + time[2] / 1000000, window / limit
local whole = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local wait = whole + cost * share - window - now
local taken = wait < 0.000001
if taken and cost > 0 then
    whole = whole + cost * share
    redis.call('SET', KEYS[1], string.format('%.6f', whole), 'PX', math.ceil((whole - now) * 1000))
end
local left = (window - whole + now) / share + 0.000001
if taken then
    wait = whole > now and (math.floor(left) + 1 - left) * share or 0
end
return {taken and 1 or 0, math.max(0, math.floor(left)), string.format('%.6f', wait)}
"""


@dataclass(frozen=True, slots=True)
class Quota:
    """What one client may ask for: ``limit`` requests in ``window`` seconds."""

    name: str
    limit: int
    window: int

    def key_of(self, who: str) -> str:
        """Return where it is counted. One that was changed begins anew: who used up the old one may long be whole."""
        return f"quota:{self.name}:{self.limit}/{self.window}:{who}"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands: whether this request was within the quota, and how many more are.

    ``wait`` is in whole seconds: until the request would be within it, or until there will be one more than now.
    """

    taken: bool
    left: int
    wait: int


def take(quota: Quota, who: str, *, cost: int = 1) -> Standing | None:
    """Take ``cost`` requests out of what is left of somebody's quota; 0 only looks. ``None`` where Redis is away."""
    global _away_until  # noqa: PLW0603  one process has one Redis
    key = quota.key_of(who)
    plenty = tallies.let_through(key, cost)
    if plenty:
        return Standing(True, *plenty)
    if monotonic() < _away_until:
        return None
    try:
        taken, left, wait = _script()(keys=[key], args=[quota.limit, quota.window, cost + tallies.uncounted(key)])
    except RedisError as error:
        _away_until = monotonic() + _PAUSE
        logger.warning("Redis does not count requests, so none is refused for now: %s", error)
        return None
    standing = Standing(bool(taken), int(left), ceil(float(wait)))
    tallies.note(key, standing.left, standing.wait)
    return standing


@cache
def _script() -> Script:
    redis: Any = Redis.from_url(
        settings.REDIS_URL,
        socket_connect_timeout=_PATIENCE,
        socket_timeout=_PATIENCE,
        retry=Retry(NoBackoff(), 0),
    )
    script: Script = redis.register_script(_TAKE)
    return script
