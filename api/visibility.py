"""Who reads a report: which ones there are for them, and how much of each."""

from dataclasses import dataclass
from typing import Any, Self

from reports.selectors import Report

READ_ALL = "reports.read_all_reports"
READ_TRACEBACKS = "reports.read_tracebacks"


@dataclass(frozen=True, slots=True)
class Reader:
    """A client: whether it reads everybody's reports, and the tracebacks of what failed in them."""

    id: int
    sees_all: bool
    sees_tracebacks: bool

    @classmethod
    def of(cls, user: Any) -> Self:
        """Return the reader that ``user`` is. Its permissions are known since it was authenticated."""
        return cls(user.pk, user.has_perm(READ_ALL), user.has_perm(READ_TRACEBACKS))

    @property
    def owner(self) -> int | None:
        """Whose reports there are for this reader, ``None`` for everybody's."""
        return None if self.sees_all else self.id

    def owns(self, report: Report) -> bool:
        """Tell whether the report is the reader's own, to be cancelled and retried."""
        return report.requested_by == self.id
