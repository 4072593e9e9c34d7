"""Who reads a report: which ones there are for them, and how much of each."""

from dataclasses import dataclass
from typing import Any, Self

from reports.selectors import Report

_VIEW_ALL = "reports.view_asyncactionreport"


@dataclass(frozen=True, slots=True)
class Reader:
    """A client. One that ``sees_all`` reads everybody's reports, with the tracebacks of their errors."""

    id: int
    sees_all: bool

    @classmethod
    def of(cls, user: Any) -> Self:
        """Return the reader that ``user`` is. Only a member of the staff costs a query, for the permission to view."""
        return cls(user.pk, bool(user.is_staff) and user.has_perm(_VIEW_ALL))

    @property
    def owner(self) -> int | None:
        """Whose reports there are for this reader, ``None`` for everybody's."""
        return None if self.sees_all else self.id

    def owns(self, report: Report) -> bool:
        """Tell whether the report is the reader's own, to be cancelled and retried."""
        return report.requested_by == self.id
