from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console import accounts
from reports.roles import SENSITIVE, Role


class Command(BaseCommand):
    help = "Let a person use the admin pages, in a role; of one who does already, change it. A password is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("name", help="Name of the person, created if it is new.")
        parser.add_argument(
            "--role",
            required=True,
            choices=[role.value for role in Role],
            help="A viewer sees reports with their errors; an operator cancels and retries them, too.",
        )
        parser.add_argument("--read-payloads", action="store_true", help="They may read parameters and results.")
        parser.add_argument("--read-tracebacks", action="store_true", help="They may read the tracebacks of errors.")
        parser.add_argument("--new-password", action="store_true", help="Replace the password that they have.")

    def handle(self, *args: Any, name: str, role: str, new_password: bool, **options: Any) -> None:
        """Print a new password on standard output, and what it is on standard error."""
        del args
        sensitive = [codename for codename in SENSITIVE if options[codename]]
        try:
            password = accounts.appoint(name, Role(role), sensitive=sensitive, new_password=new_password)
        except accounts.PersonError as error:
            raise CommandError(str(error)) from error
        rights = " ".join(f"They {codename.replace('_', ' ')}." for codename in sensitive)
        self.stderr.write(f"{name} is {'an' if role[0] in 'aeiou' else 'a'} {role}. {rights}".rstrip())
        if password:
            self.stderr.write("Password, to be changed at /admin/password_change/. It is not shown again:")
            self.stdout.write(password)
