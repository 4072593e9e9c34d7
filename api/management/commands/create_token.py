from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from api import clients

DEFAULT_DAYS = 365
MOST_DAYS = 36_500  # a hundred years


def add_lifetime(parser: ArgumentParser) -> None:
    """Declare the argument that says how long a new token is valid."""
    parser.add_argument(
        "--expires-in-days",
        type=int,
        default=DEFAULT_DAYS,
        metavar="N",
        help=f"How long the token is valid (default: {DEFAULT_DAYS}).",
    )


def lifetime_of(days: int) -> timedelta:
    """Return how long a new token is valid. Raises CommandError."""
    if not 1 <= days <= MOST_DAYS:
        raise CommandError(f"--expires-in-days must be from 1 to {MOST_DAYS}.")
    return timedelta(days=days)


class Command(BaseCommand):
    help = "Give a client a token. The token is shown once; the database keeps its hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("client", help="Name of the client: an account without a password, created if it is new.")
        add_lifetime(parser)

    def handle(self, *args: Any, client: str, expires_in_days: int, **options: Any) -> None:
        """Print the token on standard output, and what it is on standard error."""
        del args, options
        lifetime = lifetime_of(expires_in_days)
        try:
            token, text = clients.issue(clients.find_or_create(client), lifetime=lifetime)
        except clients.ClientError as error:
            raise CommandError(str(error)) from error
        self.stderr.write(f"Token of {client}, valid until {token.expiry:%Y-%m-%d %H:%M} UTC. It is not shown again:")
        self.stdout.write(text)
