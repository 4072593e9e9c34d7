from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from api import clients
from api.management.commands.create_token import add_lifetime, lifetime_of

DEFAULT_OVERLAP = 24.0


class Command(BaseCommand):
    help = "Give a client a new token in place of those it has, which stay valid for a while."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("client", help="Name of the client.")
        parser.add_argument("--key", help="Beginning of the one token to replace, as list_tokens shows it.")
        parser.add_argument(
            "--overlap-hours",
            type=float,
            default=DEFAULT_OVERLAP,
            metavar="N",
            help=f"How long the old tokens stay valid; 0 ends them at once (default: {DEFAULT_OVERLAP:g}).",
        )
        add_lifetime(parser)

    def handle(
        self,
        *args: Any,
        client: str,
        expires_in_days: int,
        overlap_hours: float,
        key: str | None,
        **options: Any,
    ) -> None:
        """Print the new token on standard output, and until when the old ones are valid on standard error."""
        del args, options
        lifetime = lifetime_of(expires_in_days)
        if not 0 <= overlap_hours < lifetime / timedelta(hours=1):
            raise CommandError("--overlap-hours must be 0 or more, and less than the new token is valid.")
        try:
            token, text = clients.rotate(
                clients.find(client), lifetime=lifetime, overlap=timedelta(hours=overlap_hours), key=key
            )
        except clients.ClientError as error:
            raise CommandError(str(error)) from error
        self.stderr.write(
            f"Token of {client}, valid until {token.expiry:%Y-%m-%d %H:%M} UTC; what it replaces is valid for another"
            f" {overlap_hours:g} hours at most. It is not shown again:"
        )
        self.stdout.write(text)
