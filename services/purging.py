"""Deleting what is older than its retention: final actions with their trees, and entries of the journal."""

from django.conf import settings

from reports import journal
from reports.purging import purge_batch

_DAY = 24 * 3600.0


class Purge:
    """Deletes what is old, a batch at a time, and counts it: actions as ``reports``, of the journal ``entries``."""

    def __init__(self) -> None:
        self.reports = 0
        self.entries = 0
        self._journal = journal.Purged(0, None)

    def go_on(self) -> bool:
        """Delete a batch. Returns whether there was anything to delete, and so may be more.

        Entries that operations still need are gone past no faster than this is called: they may be a million.
        """
        reports, entries = self._delete_reports(), self._delete_entries()
        return reports + entries > 0

    def finish(self) -> None:
        """Delete everything that is old."""
        while self._delete_reports():
            pass
        while self._delete_entries() or self._journal.looked_at:
            pass

    def _delete_reports(self) -> int:
        own: dict[str, float] = settings.REPORT_RETENTION_DAYS_BY_ACTION
        deleted = purge_batch(older_than=settings.REPORT_RETENTION_DAYS * _DAY, except_actions=list(own))
        deleted += sum(purge_batch(older_than=days * _DAY, action=action) for action, days in own.items())
        self.reports += deleted
        return deleted

    def _delete_entries(self) -> int:
        if not settings.JOURNAL_RETENTION_DAYS:
            return 0
        self._journal = journal.purge_batch(
            older_than=settings.JOURNAL_RETENTION_DAYS * _DAY, after=self._journal.looked_at
        )
        self.entries += self._journal.deleted
        return self._journal.deleted
