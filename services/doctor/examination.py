"""Everything that the doctor looks at, in the order in which one would."""

from collections.abc import Callable, Iterator

from services.doctor import connections, installation, work
from services.doctor.findings import Finding, Verdict

Examine = Callable[[], Iterator[Finding]]


def examine(*, longest_wait: float) -> Iterator[Finding]:
    """Look at the whole installation. What needs a database, or its tables, is left out where they are not there."""
    yield from installation.examine_settings()
    yield from installation.examine_variables()
    database = list(connections.examine_database())
    yield from database
    yield from connections.examine_broker()
    yield from connections.examine_redis()
    if _is_well(database):
        yield from connections.examine_clocks()
        migrations = list(connections.examine_migrations())
        yield from migrations
        if _is_well(migrations):
            yield from work.examine_workers()
            yield from work.examine_waiting(longest_wait)
            yield from work.examine_care()
            yield from installation.examine_tokens()


def _is_well(findings: list[Finding]) -> bool:
    return all(finding.verdict != Verdict.WRONG for finding in findings)
