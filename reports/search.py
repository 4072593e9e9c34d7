"""What a list of actions' reports is searched for, and the SQL that finds it by an index."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import orjson
from django.db import connection

from reports.database import TABLE, as_bound, reaching_out
from reports.models import AsyncActionReport, Status

# An id begins with the milliseconds at which a web process has made it, by its own clock: it may differ from the
# database's, which created_at is from, by less than this.
_CLOCKS_APART = 3600 * 1000
_LAST_MILLISECOND = 2**48 - 1
_MOMENTS = ("created_after", "created_before", "finished_after", "finished_before")


@dataclass(frozen=True, slots=True)
class Search:
    """Which reports, all conditions together, and in which order. Times are aware: from the first, before the second.

    ``owner`` is the user whose reports they are, ``None`` for everybody's; no ``statuses`` are all of them.
    ``filters`` are parameters with their values, of those that the action's reports can be found by. ``but_not`` are
    actions that are left out.
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
    but_not: tuple[str, ...] = ()

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Self:
        """Return the search that ``as_document`` has written down."""
        values = dict(document)
        values |= {name: datetime.fromisoformat(values[name]) for name in _MOMENTS if name in values}
        values |= {"statuses": tuple(map(Status, values.get("statuses", ())))}
        return cls(**{**values, "but_not": tuple(values.get("but_not", ()))})

    def as_document(self) -> dict[str, Any]:
        """Return what is asked for, and nothing that is not, as JSON values."""
        given = {name: value for name, value in asdict(self).items() if value not in (None, (), {}, False)}
        given |= {name: given[name].isoformat() for name in _MOMENTS if name in given}
        return {name: list(map(str, value)) if isinstance(value, tuple) else value for name, value in given.items()}

    @property
    def direction(self) -> str:
        """The order of ids, in SQL: they are those of the creation."""
        return "ASC" if self.oldest_first else "DESC"

    def statement(self, *, limit: int, after: UUID | None, up_to: UUID | None = None) -> tuple[str, list[Any]]:
        """Return SQL for the ids of up to ``limit`` reports that follow the one with the id ``after``, and its values.

        ``up_to`` is the id that ends what is looked at.

        An index has the reports of one status in order, not those of several: each status has a part of its own, with
        as many reports as may be needed of it. So has each client, where everybody's reports are searched.
        """
        conditions, values = self._conditions(after, up_to)
        parts: list[str] = []
        all_values: list[Any] = []
        for status in dict.fromkeys(self.statuses) or (None,):
            own, own_values = (["s.status = %s"], [status]) if status else ([], [])
            part, part_values = self._part([*conditions, *own], [*values, *own_values], limit)
            parts.append(f"SELECT id FROM ({part}) part{len(parts)}")  # noqa: S608
            all_values += part_values
        return " UNION ALL ".join(parts), all_values

    def _part(self, conditions: list[str], values: list[Any], limit: int) -> tuple[str, list[Any]]:
        if self.owner is not None or self._has_own_index:
            return self._first(conditions), [*values, limit]
        of_clients = reaching_out("id", clients(), self._first(["s.requested_by_id = o.id", *conditions]))
        of_nobody = self._first(["s.requested_by_id IS NULL", *conditions])
        everybodys = f"SELECT id FROM ({of_clients} UNION ALL SELECT id FROM ({of_nobody}) n) e"  # noqa: S608
        return f"{everybodys} ORDER BY id {self.direction} LIMIT %s", [*values, limit, *values, limit, limit]

    @property
    def _has_own_index(self) -> bool:
        """Tell whether an index finds these reports, whoever asked for them; all others begin with the client."""
        return bool(self.filters or self.finished_after or self.finished_before)

    def _first(self, conditions: list[str]) -> str:
        return f"SELECT s.id FROM {TABLE} s WHERE {' AND '.join(conditions)} ORDER BY s.id {self.direction} LIMIT %s"  # noqa: S608

    def _conditions(self, after: UUID | None, up_to: UUID | None) -> tuple[list[str], list[Any]]:
        conditions: list[tuple[str, Any]] = [
            ("s.requested_by_id = %s", self.owner),
            ("s.action = %s", self.action),
            ("s.idempotency_key = %s", self.idempotency_key),
            # The status is in the index on codes; no other has one.
            ("s.error_code = %s AND s.status = 'failed'", self.error_code),
            ("s.created_at >= %s", _bound(self.created_after)),
            ("s.id >= %s", _id_bound(self.created_after, earlier=_CLOCKS_APART)),
            ("s.created_at < %s", _bound(self.created_before)),
            ("s.id < %s", _id_bound(self.created_before, earlier=-_CLOCKS_APART)),
            ("s.finished_at >= %s", _bound(self.finished_after)),
            ("s.finished_at < %s", _bound(self.finished_before)),
            # What was finished then had been created before.
            ("s.id < %s", _id_bound(self.finished_before, earlier=-_CLOCKS_APART)),
            (f"s.id {'>' if self.oldest_first else '<'} %s", after),
            (f"s.id {'<=' if self.oldest_first else '>='} %s", up_to),
        ]
        given = [(condition, value) for condition, value in conditions if value is not None]
        filters, values = self._filter_conditions()
        left_out = ["s.action <> %s"] * len(self.but_not)
        return (
            ["s.parent_id IS NULL", *(condition for condition, _ in given), *filters, *left_out],
            [*(value for _, value in given), *values, *self.but_not],
        )

    def _filter_conditions(self) -> tuple[list[str], list[Any]]:
        if not self.filters:
            return [], []
        if connection.vendor == "postgresql":
            return ["s.filters @> %s::jsonb"], [orjson.dumps(dict(self.filters)).decode()]
        values = [part for name, value in self.filters.items() for part in (f'$."{name}"', value)]
        return ["json_extract(s.filters, %s) = %s"] * len(self.filters), values


def clients() -> str:
    """Return the table of those who ask for actions."""
    return AsyncActionReport._meta.get_field("requested_by").related_model._meta.db_table  # noqa: SLF001


def first_id(moment: datetime, *, earlier: int = 0) -> UUID:
    """Return the smallest id that can have been made ``earlier`` milliseconds before a moment."""
    milliseconds = int(moment.timestamp() * 1000) - earlier
    return UUID(int=min(max(milliseconds, 0), _LAST_MILLISECOND) << 80)


def _bound(moment: datetime | None) -> Any:
    return None if moment is None else as_bound(moment)


def _id_bound(moment: datetime | None, *, earlier: int) -> UUID | None:
    return None if moment is None else first_id(moment, earlier=earlier)
