"""Requests that come more than once, with the key of an earlier one."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from reports.database import TABLE, as_uuid, batches, fetch_all
from reports.requests import Identity

_KEYS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class Known:
    """The report that a key stands for, and what was asked for with it."""

    report: UUID
    fingerprint: str


def find(requested_by: int | None, keys: Collection[str]) -> dict[str, Known]:
    """Return what the client's keys stand for, of those that stand for something."""
    return {key: known for batch in batches(keys, _KEYS_PER_QUERY) for key, known in _find(requested_by, batch)}


def find_repeated(requested_by: int | None, identities: Collection[Identity]) -> dict[Identity, UUID]:
    """Return the reports of those requests that are known already."""
    known = find(requested_by, {identity.key for identity in identities}) if identities else {}
    return {
        identity: known[identity.key].report
        for identity in identities
        if identity.key in known and known[identity.key].fingerprint == identity.fingerprint
    }


def _find(requested_by: int | None, keys: Collection[str]) -> list[tuple[str, Known]]:
    rows = fetch_all(
        f"""
        SELECT idempotency_key, id, fingerprint FROM {TABLE}
        WHERE requested_by_id = %s AND idempotency_key IN ({", ".join(["%s"] * len(keys))})
        """,  # noqa: S608
        [requested_by, *keys],
    )
    return [(key, Known(as_uuid(id_), fingerprint)) for key, id_, fingerprint in rows]
