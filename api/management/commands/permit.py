from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS

from api import catalogue, clients, restrictions


class Command(BaseCommand):
    help = "Say what a client may do: ask for restricted actions, read everybody's reports, read tracebacks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("client", help="Name of the client.")
        parser.add_argument("actions", nargs="*", metavar="action", help="Names of actions that it may ask for.")
        parser.add_argument("--read-all-reports", action="store_true", help="It may read everybody's reports.")
        parser.add_argument("--read-tracebacks", action="store_true", help="It may read the tracebacks of errors.")
        parser.add_argument("--withdraw", action="store_true", help="It may not do these any more.")

    def handle(self, *args: Any, client: str, actions: list[str], withdraw: bool, **options: Any) -> None:
        """Change what the client may do, and print all that it may do then."""
        del args
        catalogue.load(settings.ACTION_MODULES)
        for name in actions:
            if catalogue.find(name) is None:
                raise CommandError(f"There is no action {name}.")
        codenames = [restrictions.codename_of(name) for name in actions]
        codenames += [name for name in ("read_all_reports", "read_tracebacks") if options[name]]
        restrictions.create_permissions(DEFAULT_DB_ALIAS)
        try:
            account = clients.find(client)
        except clients.ClientError as error:
            raise CommandError(str(error)) from error
        (clients.withdraw if withdraw else clients.grant)(account, codenames)
        for codename in clients.permissions_of(clients.find(client)):
            self.stdout.write(codename)
