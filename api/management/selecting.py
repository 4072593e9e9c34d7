"""Which reports a command is for, by options that say what the query of ``GET /reports`` says."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from api import catalogue, clients
from api.filters import search_by
from api.problems import ProblemError
from reports.models import Status
from reports.search import Search

_MOMENTS = ("created_after", "created_before", "finished_after", "finished_before")
_SINGLE = ("action", "error_code", "idempotency_key", *_MOMENTS)


def add_filters(parser: ArgumentParser) -> None:
    """Declare the options that reports are chosen by."""
    group = parser.add_argument_group("which reports", "Those for which all of it is true.")
    group.add_argument("--all", action="store_true", help="All that there are.")
    group.add_argument("--action", metavar="NAME", help="Of this action.")
    group.add_argument("--status", action="append", default=[], choices=Status.values, help="May be repeated.")
    group.add_argument("--client", metavar="NAME", help="Asked for by this client.")
    group.add_argument("--error-code", metavar="CODE", help="Failed with this code.")
    group.add_argument("--idempotency-key", metavar="KEY", help="With this key.")
    group.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME:VALUE",
        help="With this value of a parameter that the action lets reports be found by; needs --action.",
    )
    for name in _MOMENTS:
        group.add_argument(f"--{name.replace('_', '-')}", metavar="TIME", help="Such as 2026-11-24T08:00:00Z.")


def search_of(options: dict[str, Any]) -> Search | None:
    """Return what is searched for, None where nothing is said of it. Raises CommandError."""
    query = {name: options[name] for name in _SINGLE if options[name] is not None}
    owner = _client_of(options["client"])
    if not (query or owner or options["status"] or options["parameter"] or options["all"]):
        return None
    catalogue.load(settings.ACTION_MODULES)
    try:
        return search_by(query, statuses=options["status"], parameters=options["parameter"], owner=owner)
    except ProblemError as error:
        first = error.errors[0]
        raise CommandError(f"--{first['parameter'].replace('_', '-')}: {first['detail']}") from error


def _client_of(name: str | None) -> int | None:
    if name is None:
        return None
    try:
        return int(clients.find(name).pk)
    except clients.ClientError as error:
        raise CommandError(f"There is no client {name}.") from error
