"""What helps to find out why a run has failed."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from chaos import witness
from reports.models import AsyncActionReport

_CASES = 10
_LINES = 12
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def evidence(findings: Sequence[str], logs: Path) -> Iterator[str]:
    """Return lines about the reports that the first findings name: rows of the ledger, testimony, and lines of logs."""
    testimony = witness.entries()
    for finding in findings[:_CASES]:
        yield f"\n{finding}"
        for id_ in dict.fromkeys(_UUID.findall(finding)):
            yield from (f"  ledger:  {line}" for line in _rows_of(UUID(id_)))
            yield from (f"  witness: {entry}" for entry in testimony if entry.task == UUID(id_))
            yield from (f"  {line}" for line in list(_logged(id_, logs))[-_LINES:])
    if len(findings) > _CASES:
        yield f"\n… and {len(findings) - _CASES} more."


def _rows_of(id_: UUID) -> Iterator[str]:
    for row in AsyncActionReport.objects.filter(id=id_).values():
        yield ", ".join(f"{name}={value}" for name, value in row.items() if value not in (None, "", [], 0))


def _logged(id_: str, logs: Path) -> Iterator[str]:
    for log in sorted(logs.iterdir()):
        with log.open(errors="replace") as lines:
            yield from (f"{log.name}: {line.rstrip()}" for line in lines if id_ in line)
