"""Which reports a client sees, and how much of them."""

from typing import Any

_VIEW_ALL = "reports.view_asyncactionreport"


def sees_all(user: Any) -> bool:
    """Tell whether ``user`` sees everybody's reports, with the tracebacks of their errors.

    That takes a member of the staff with the permission to view reports. Other clients cost no query here.
    """
    return bool(user.is_staff) and user.has_perm(_VIEW_ALL)
