"""The reference of the environment variables, read from the code that reads them."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_READER = "env"
_KINDS = {
    "address": "host:port",
    "bool": "1 or 0",
    "collector": "address",
    "count": "number",
    "database": "address",
    "float": "number",
    "int": "number",
    "json": "JSON",
    "list": "list, with commas",
    "modules": "modules, with commas",
    "quota": "quota",
    "seconds": "seconds",
    "service": "address",
    "str": "text",
}


class UndocumentedVariableError(Exception):
    """The code reads a variable and does not say enough about it; the message says which and what."""


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable. ``default`` is empty where there is none."""

    name: str
    kind: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Section:
    """Variables that belong together, below a heading."""

    title: str
    variables: list[Variable]


def read(file: Path) -> list[Section]:
    """Return what a module of settings reads from the environment, in its order.

    A comment that stands alone begins a section; the comment above a variable is its meaning.

    Raises:
        UndocumentedVariableError: a variable has no comment, or a computed default that its comment does not tell.

    """
    source = file.read_text()
    lines, tree = source.splitlines(), ast.parse(source)
    constants = {
        statement.targets[0].id: statement.value.value
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Constant)
    }
    titles = {0: "Settings", **dict(_titles(lines))}
    sections: list[Section] = []
    for statement, call in sorted(_calls(tree), key=lambda found: found[1].lineno):
        title = titles[max((line for line in titles if line < statement.lineno), default=0)]
        if not sections or sections[-1].title != title:
            sections.append(Section(title, []))
        sections[-1].variables.append(_variable(call, _comment_above(lines, statement.lineno), constants))
    return sections


def page_of(sections: list[Section]) -> str:
    """Return the reference as a page of Markdown."""
    parts = [_INTRODUCTION]
    for section in sections:
        rows = [
            f"| `{v.name}` | {v.kind} | {f'`{v.default}`' if v.default else ''} | {v.meaning} |"
            for v in section.variables
        ]
        parts.append("\n".join([f"## {section.title}", "", "| variable | is | default | meaning |", _RULE, *rows]))
    return "\n\n".join(parts) + "\n"


_RULE = "|---|---|---|---|"
_INTRODUCTION = """# Configuration

Every setting of the service, from the environment. This page is made from `config/settings.py` by
`python manage.py check_configuration --write`; `make check` compares them. What is wrong stops the start with a line
that says what to change, and `manage.py doctor` tells of variables that are named almost like one of these.

In production set at least `SECRET_KEY`, `DATABASE_URL`, `BROKER_URL`, `REDIS_URL` and `ALLOWED_HOSTS`, and
`BEHIND_PROXY=1` where a proxy ends TLS. Web and workers are given the same.

A quota is a number of requests in a second, minute, hour or day, such as `100/minute`, or `none`. Granian itself reads
`GRANIAN_BACKPRESSURE`, 768 in the image: keep it above `REQUEST_MAX_WAITERS` and the connections that your clients keep
alive."""


def _calls(tree: ast.Module) -> Iterator[tuple[ast.stmt, ast.Call]]:
    """Yield each call that reads a variable, with the innermost statement that it is in."""
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.Expr):
            for node in ast.walk(statement):
                if isinstance(node, ast.Call) and _is_reading(node.func):
                    yield statement, node


def _is_reading(function: ast.expr) -> bool:
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == _READER
        and function.attr in _KINDS
    )


def _variable(call: ast.Call, meaning: str, constants: dict[str, Any]) -> Variable:
    name, kind = ast.literal_eval(call.args[0]), _KINDS[call.func.attr]  # type: ignore[attr-defined]
    if not meaning:
        raise UndocumentedVariableError(f"{name} has no comment above it. Write what it means there.")
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    given = options.get("default", call.args[1] if len(call.args) > 1 else None)
    try:
        default = _shown(_evaluated(given, constants)) if given else ""
    except ValueError as error:
        if "default" not in meaning and "Has to be set" not in meaning:
            raise UndocumentedVariableError(
                f"The default of {name} is computed. Tell it in the comment above, with the word default."
            ) from error
        default = ""
    return Variable(name, kind, default, meaning)


def _evaluated(node: ast.expr, constants: dict[str, Any]) -> Any:
    """Return what an expression of literals, their products and constants of the module is. Raises ValueError."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return _evaluated(node.left, constants) * _evaluated(node.right, constants)
    if isinstance(node, ast.Name):
        if node.id not in constants:
            raise ValueError(node.id)
        return constants[node.id]
    return ast.literal_eval(node)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ",".join(value)
    return "" if value is None or value == {} else str(value)


def _titles(lines: list[str]) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(lines):
        around = (lines[number - 1 : number] or [""])[0], (lines[number + 1 : number + 2] or [""])[0]
        if line.startswith("# ") and not any(around):
            yield number + 1, line.removeprefix("# ")


def _comment_above(lines: list[str], number: int) -> str:
    """Return the comment right above a line, counted from 1."""
    comment: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.strip().startswith("# "):
            break
        comment.append(line.strip().removeprefix("# "))
    return " ".join(reversed(comment))
