import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from api import catalogue, declaration
from api.management.layout import Layout, function_of, require_domain, require_function


class Command(BaseCommand):
    help = "Write a new action that works, and its test: services, tasks and endpoint, to be changed into your own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command's arguments."""
        parser.add_argument("name", help="Name of the action, such as check-backup.")
        parser.add_argument("--domain", help="Name of its package, such as backups (default: the action's name).")
        parser.add_argument(
            "--folder",
            type=Path,
            help="Folder for a package of your own, outside of this repository, such as ../team.",
        )

    def handle(self, *args: Any, name: str, domain: str | None, folder: Path | None, **options: Any) -> None:
        """Write the files, and say how to run them."""
        del args, options
        _require_free(name)
        domain = domain or function_of(name)
        require_domain(domain, own=folder is not None)
        layout = Layout.in_package(folder, domain) if folder else Layout.in_repository(settings.BASE_DIR, domain)
        files = layout.files(name)
        _write(files)
        for path in files:
            self.stdout.write(f"  {self.style.SUCCESS('+')} {_shown(path)}")
        self._tell(layout, folder, test=list(files)[-1])

    def _tell(self, layout: Layout, folder: Path | None, *, test: Path) -> None:
        modules = ",".join([*settings.ACTION_MODULES, layout.api])
        path = f"PYTHONPATH={_shown(folder)} " if folder else ""
        settings_module = "DEBUG=1 DJANGO_SETTINGS_MODULE=config.settings " if folder else ""
        self.stdout.write(f"Test it:   {settings_module}{path}python -m pytest {_shown(test)}")
        self.stdout.write(f"Serve it:  {path}ACTION_MODULES={modules} make run")


def _require_free(name: str) -> None:
    if change := declaration.change_of_name(name):
        raise CommandError(f"{change[0].upper()}{change[1:]}.")
    require_function(name)
    catalogue.load(settings.ACTION_MODULES)
    rival = catalogue.rival_of(name)
    if rival:
        raise CommandError(
            f"{name} is taken: {rival.__module__}.{rival.__qualname__} is {rival.name}. Choose another name."
        )


def _write(files: dict[Path, str]) -> None:
    for path in files:
        if path.exists():
            raise CommandError(f"{_shown(path)} exists already, and nothing was written. Choose another --domain.")
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        except OSError as error:
            raise CommandError(f"{_shown(path)} cannot be written: {error.strerror}.") from error


def _shown(path: Path) -> str:
    return os.path.relpath(path)
