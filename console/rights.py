"""What of a report is for those alone who have the permission for it."""

from enum import StrEnum
from typing import Any


class Sensitive(StrEnum):
    """Parts of a report that may hold what is nobody else's business, by the permission to read them."""

    PAYLOADS = "reports.read_payloads"  # parameters, arguments, results, and to search by them
    TRACEBACKS = "reports.read_tracebacks"


def may_read(user: Any, what: Sensitive) -> bool:
    """Tell whether a person may read such parts of reports."""
    return bool(user.has_perm(what.value))
