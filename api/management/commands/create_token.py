from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from knox.models import AuthToken

DEFAULT_DAYS = 365


class Command(BaseCommand):
    help = "Give a client a token. The token is shown once; the database keeps its hash."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("client", help="Name of the client: an account without a password, created if it is new.")
        parser.add_argument(
            "--expires-in-days",
            type=int,
            default=DEFAULT_DAYS,
            metavar="N",
            help=f"How long the token is valid (default: {DEFAULT_DAYS}).",
        )

    def handle(self, *args: Any, client: str, expires_in_days: int, **options: Any) -> None:
        """Print the token on standard output, and what it is on standard error."""
        del args, options
        if not 1 <= expires_in_days <= 36_500:  # noqa: PLR2004  a hundred years
            raise CommandError("--expires-in-days must be from 1 to 36500.")
        token, value = AuthToken.objects.create(_account(client), expiry=timedelta(days=expires_in_days))
        self.stderr.write(f"Token of {client}, valid until {token.expiry:%Y-%m-%d %H:%M} UTC. It is not shown again:")
        self.stdout.write(value)


def _account(client: str) -> Any:
    users = get_user_model().objects
    account = users.filter(username=client).first()
    if account is None:
        account = users.model(username=client)
        account.set_unusable_password()
        try:
            account.full_clean()
        except ValidationError as error:
            raise CommandError(f"{client!r} cannot be a client's name: {' '.join(error.messages)}") from error
        account.save()
    if account.password and account.has_usable_password():
        raise CommandError(f"{client} is a person with a password. Choose another name for the client.")
    return account
