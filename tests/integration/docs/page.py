"""A page of the documentation, taken apart: its sections, code, commands and tables."""

import re
from dataclasses import dataclass
from pathlib import Path

_FILE = re.compile(r"^\*\*`([^`]+)`\*\*[^\n]*\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CELLS = re.compile(r"^\| (.+) \|$", re.MULTILINE)


@dataclass(frozen=True)
class File:
    """Code that the page says belongs into a file."""

    name: str
    code: str


@dataclass(frozen=True)
class Page:
    """A page, or a part of it."""

    text: str

    @classmethod
    def read(cls, path: Path) -> "Page":
        """Return the page that is kept in ``path``."""
        return cls(path.read_text())

    def section(self, heading: str) -> "Page":
        """Return what stands below a heading, up to the next one."""
        found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", self._without_code(), re.MULTILINE | re.DOTALL)
        assert found, f"There is no section {heading!r}."
        return Page(self.text[found.start(1) : found.end(1)])

    def files(self) -> list[File]:
        """Return the code that has the name of its file above it, in the page's order."""
        return [File(name, code) for name, code in _FILE.findall(self.text)]

    def blocks(self, language: str) -> list[str]:
        """Return the fenced blocks of a language."""
        return re.findall(rf"^```{language}\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the only table, without its header."""
        rows = [row.split(" | ") for row in _CELLS.findall(self.text)]
        return [tuple(cell.replace("\\|", "|") for cell in row) for row in rows[1:]]

    def _without_code(self) -> str:
        # A comment in code begins like a heading. The places of everything else stay as they are.
        return re.sub(r"^```.*?^```$", lambda block: " " * len(block[0]), self.text, flags=re.MULTILINE | re.DOTALL)


def code_in(cell: str) -> str | None:
    """Return the code that a table's cell consists of, None where it is words."""
    return cell[1:-1] if re.fullmatch("`[^`]+`", cell) else None
