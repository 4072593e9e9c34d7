"""What a list of actions' reports is searched for, and the SQL that finds it by an index."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from reports.database import TABLE, as_bound
from reports.models import Status

# An id begins with the milliseconds at which a web process has made it, by its own clock: it may differ from the
# database's, which created_at is from, by less than this.
_CLOCKS_APART = 3600 * 1000
_LAST_MILLISECOND = 2**48 - 1


@dataclass(frozen=True, slots=True)
class Search:
    """Which reports, all conditions together, and in which order. Times are aware: from the first, before the second.

    ``owner`` is the user whose reports they are, ``None`` for everybody's; no ``statuses`` are all of them.
    ``filters`` are parameters with their values, of those that the action's reports can be found by.
    """

    owner: int | None = None
    action: str | None = None
    statuses: tuple[Status, ...] = ()
    filters: Mapping[str, str | int | bool] = field(default_factory=dict)
    idempotency_key: str | None = None
    error_code: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    finished_after: datetime | None = None
    finished_before: datetime | None = None
    oldest_first: bool = False

    @property
    def direction(self) -> str:
        """The order of ids, in SQL: they are those of the creation."""
        return "ASC" if self.oldest_first else "DESC"

    def statement(self, *, limit: int, after: UUID | None) -> tuple[str, list[Any]]:
        """Return SQL for the ids of up to ``limit`` reports that follow the one with the id ``after``, and its values.

        An index has the reports of one status in order, not those of several: each status has a part of its own, with
        as many reports as may be needed of it.
        """
        conditions, values = self._conditions(after)
        parts: list[str] = []
        all_values: list[Any] = []
        for status in dict.fromkeys(self.statuses) or (None,):
            own, own_values = (["s.status = %s"], [status]) if status else ([], [])
            parts.append(
                f"""
                SELECT id FROM (
                    SELECT s.id FROM {TABLE} s WHERE {" AND ".join([*conditions, *own])}
                    ORDER BY s.id {self.direction} LIMIT %s
                ) part{len(parts)}
                """  # noqa: S608
            )
            all_values += [*values, *own_values, limit]
        return " UNION ALL ".join(parts), all_values

    def _conditions(self, after: UUID | None) -> tuple[list[str], list[Any]]:
        conditions: list[tuple[str, Any]] = [
            ("s.requested_by_id = %s", self.owner),
            ("s.action = %s", self.action),
            ("s.idempotency_key = %s", self.idempotency_key),
            # The status is in the index on codes; no other has one.
            ("s.error_code = %s AND s.status = 'failed'", self.error_code),
            ("s.created_at >= %s", _bound(self.created_after)),
            ("s.id >= %s", _first_id(self.created_after, earlier=_CLOCKS_APART)),
            ("s.created_at < %s", _bound(self.created_before)),
            ("s.id < %s", _first_id(self.created_before, earlier=-_CLOCKS_APART)),
            ("s.finished_at >= %s", _bound(self.finished_after)),
            ("s.finished_at < %s", _bound(self.finished_before)),
            # What was finished then had been created before.
            ("s.id < %s", _first_id(self.finished_before, earlier=-_CLOCKS_APART)),
            (f"s.id {'>' if self.oldest_first else '<'} %s", after),
        ]
        given = [(condition, value) for condition, value in conditions if value is not None]
        filters, values = self._filter_conditions()
        return (
            ["s.parent_id IS NULL", *(condition for condition, _ in given), *filters],
            [*(value for _, value in given), *values],
        )

    def _filter_conditions(self) -> tuple[list[str], list[Any]]:
        if not self.filters:
            return [], []
        if connection.vendor == "postgresql":
            return ["s.filters @> %s::jsonb"], [orjson.dumps(dict(self.filters)).decode()]
        values = [part for name, value in self.filters.items() for part in (f'$."{name}"', value)]
        return ["json_extract(s.filters, %s) = %s"] * len(self.filters), values


def _bound(moment: datetime | None) -> Any:
    return None if moment is None else as_bound(moment)


def _first_id(moment: datetime | None, *, earlier: int) -> UUID | None:
    """Return the smallest id that can have been made ``earlier`` milliseconds before a moment."""
    if moment is None:
        return None
    milliseconds = int(moment.timestamp() * 1000) - earlier
    return UUID(int=min(max(milliseconds, 0), _LAST_MILLISECOND) << 80)
