from uuid import UUID

from django.conf import settings

from api.preferences import Preferences
from reports.errors import TooManyWaitersError
from services.waiters import wait_until_final


def wait_as_preferred(report: UUID, preferences: Preferences, *, is_final: bool = False) -> int | None:
    """Wait for an action's report to be final as long as the client would, and as a request may.

    Returns the seconds that it would have waited, ``None`` where it did not: the client does not want it, or too many
    wait already.
    """
    if preferences.wait is None:
        return None
    seconds = min(preferences.wait, int(settings.REQUEST_MAX_WAIT))
    if is_final:
        return seconds
    try:
        wait_until_final(report, seconds)
    except TooManyWaitersError:
        return None
    return seconds
