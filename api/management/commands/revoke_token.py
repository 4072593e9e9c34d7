from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from api import clients


class Command(BaseCommand):
    help = "Revoke a token of a client, or all of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("client", help="Name of the client.")
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--key", help="Beginning of the token, as list_tokens shows it.")
        which.add_argument("--all", action="store_true", help="All tokens of the client.")

    def handle(self, *args: Any, client: str, key: str | None, **options: Any) -> None:
        """Delete the tokens and tell when the last web process has noticed."""
        del args, options
        try:
            revoked = clients.revoke(clients.find(client), key=key)
        except clients.ClientError as error:
            raise CommandError(str(error)) from error
        if not revoked:
            raise CommandError(f"{client} has no token{f' {key}' if key else ''}; list_tokens shows those there are.")
        self.stdout.write(
            f"Revoked {revoked} of {client}. Web processes go by it within {settings.TOKEN_CACHE_SECONDS:g} s."
        )
