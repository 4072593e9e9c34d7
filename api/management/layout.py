"""Where the parts of a new action belong, inside this repository or in a package of a team's own, and what they say."""

import builtins
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from string import Template

from django.core.management.base import CommandError

_TEMPLATES = Path(__file__).resolve().parent / "scaffold"
_DOMAIN = re.compile(r"[a-z][a-z0-9_]*")
# What the functions of an action stand beside; one of these names would hide it.
_TAKEN = frozenset({"chainable", "services", "shared_task", "steps"})


@dataclass(frozen=True)
class Layout:
    """The files of an action, each by what its template is called, and the modules that they make."""

    root: Path
    domain: str
    services: str
    tasks: str
    api: str
    tests: str

    @classmethod
    def in_repository(cls, root: Path, domain: str) -> "Layout":
        """Return where an action belongs in this repository."""
        return cls(root, domain, f"services.{domain}.steps", f"tasks.{domain}", f"api.{domain}", "tests.unit.tasks.")

    @classmethod
    def in_package(cls, folder: Path, domain: str) -> "Layout":
        """Return where it belongs in a package of a team's own, below a folder that is on PYTHONPATH."""
        return cls(folder, domain, f"{domain}.services", f"{domain}.tasks", f"{domain}.api", "")

    def files(self, name: str) -> dict[Path, str]:
        """Return the path of each file, and what is in it, for the action ``name``."""
        words = self._words(name)
        package = Path(*self.services.split(".")[:-1])
        modules = {
            "services": self.services,
            "tasks": self.tasks,
            "api": self.api,
            "test": f"{self.tests}test_{self.domain}",
        }
        code = {self._path(module): _rendered(template, words) for template, module in modules.items()}
        return {self.root / package / "__init__.py": "", **code}

    def _path(self, module: str) -> Path:
        return self.root.joinpath(*module.split(".")).with_suffix(".py")

    def _words(self, name: str) -> Mapping[str, str]:
        package, _, module = self.services.rpartition(".")
        return {
            "name": name,
            "canvas": function_of(name),
            "title": "".join(word.capitalize() for word in name.split("-")),
            "services": self.services,
            "services_package": package,
            "services_module": module,
            "tasks": self.tasks,
            "api": self.api,
        }


def function_of(name: str) -> str:
    """Return how an action is called in Python."""
    return name.replace("-", "_")


def require_function(name: str) -> None:
    """Raise CommandError where Python means something else by an action's name."""
    function = function_of(name)
    if iskeyword(function) or hasattr(builtins, function) or function in _TAKEN:
        raise CommandError(f"{function} is something else in Python already. Choose a name of two words or more.")


def require_domain(domain: str, *, own: bool) -> None:
    """Raise CommandError where there can be no package of this name; ``own`` is for one beside all others."""
    if not _DOMAIN.fullmatch(domain) or iskeyword(domain):
        raise CommandError(f"{domain!r} is no name of a package. Choose one by --domain, such as --domain backups.")
    if own and find_spec(domain) is not None:
        raise CommandError(f"There is a package {domain} already. Choose another name by --domain.")


def _rendered(template: str, words: Mapping[str, str]) -> str:
    return Template((_TEMPLATES / f"{template}.py-tpl").read_text()).substitute(words)
