from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from knox.models import AuthToken


class Command(BaseCommand):
    help = "List tokens by their beginnings, with their clients and until when they are valid."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("client", nargs="?", help="Name of the client; without it, those of all clients.")

    def handle(self, *args: Any, client: str | None, **options: Any) -> None:
        """Print a line for each token."""
        del args, options
        tokens = AuthToken.objects.select_related("user").order_by("user__username", "created")
        if client is not None:
            tokens = tokens.filter(user__username=client)
        for token in tokens:
            expiry = _shown(token.expiry) if token.expiry else "never"
            columns = (token.user.get_username(), token.token_key, _shown(token.created), expiry, _state(token))
            self.stdout.write("\t".join(columns))


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _state(token: AuthToken) -> str:
    if not token.user.is_active:
        return "client deactivated"
    return "expired" if token.expiry and token.expiry <= timezone.now() else "valid"
