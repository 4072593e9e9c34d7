"""The table of ``docs/performance.md``, as ``results.json`` has it."""

from pathlib import Path
from typing import Any

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
_BEGIN, _END = "<!-- from benchmarks/results.json: begin -->\n", "<!-- end -->\n"


def table(results: dict[str, Any]) -> str:
    """Return the results as Markdown: when and on what they were seen, and a row for each goal."""
    machine, versions, sizes = results["machine"], results["versions"], results["sizes"]
    seen = (
        f"Seen on {results['date']}: {machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB,"
        f" Python {versions['python']}, Celery {versions['celery']}, Django {versions['django']}; {sizes['rounds']}"
        f" rounds; {sizes['finished']:,} finished and {sizes['waiting']:,} waiting reports in the full table."
    )
    lines = [seen, "", "| | asked for | seen, median | quartiles | |", "|---|---|---|---|---|"]
    for name, goal in results["goals"].items():
        mark = {True: "reached", False: "**not reached**", None: ""}[goal["reached"]]
        quartiles = f"{goal['low']:.2f} to {goal['high']:.2f}"
        lines.append(f"| {name} | {goal['asked']} | {goal['median']:.2f} | {quartiles} | {mark} |")
    return "\n".join(lines) + "\n"


def written(text: str, results: dict[str, Any]) -> str:
    """Return the page's ``text`` with its table anew."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{table(results)}{_END}{after}"
