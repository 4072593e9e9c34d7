"""The reference of the environment variables says what the code reads."""

import re

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from api.management.configuration import UndocumentedVariableError, read
from config.environment import Environment

SETTINGS = """
LIMIT = 32  # no variable

# The installation

# What it is called.
# In two lines.
NAME = env.str("NAME", "x")
# Its size.
SIZE = make({"size": env.count("SIZE", 4 * 1024, most=9)})
if NAME:
    # Only where it has a name, half as long by default.
    PATIENCE = env.seconds("PATIENCE", SIZE / 2)
    # As many.
    THREADS = env.int("THREADS", LIMIT)

# Clients

# Who may ask.
HOSTS = env.list("HOSTS", default=["a", "b"])
# Whether.
ON = env.bool("ON", True)
"""


@pytest.fixture
def read_text(tmp_path):
    def read_text(text):
        file = tmp_path / "settings.py"
        file.write_text(text)
        return read(file)

    return read_text


def test_each_variable_has_its_section_kind_default_and_meaning(read_text):
    rows = [
        (section.title, variable.name, variable.kind, variable.default, variable.meaning)
        for section in read_text(SETTINGS)
        for variable in section.variables
    ]
    assert rows == [
        ("The installation", "NAME", "text", "x", "What it is called. In two lines."),
        ("The installation", "SIZE", "number", "4096", "Its size."),
        ("The installation", "PATIENCE", "seconds", "", "Only where it has a name, half as long by default."),
        ("The installation", "THREADS", "number", "32", "As many."),
        ("Clients", "HOSTS", "list, with commas", "a,b", "Who may ask."),
        ("Clients", "ON", "1 or 0", "1", "Whether."),
    ]


def test_a_variable_without_a_comment_is_refused(read_text):
    with pytest.raises(UndocumentedVariableError, match=r"^SIZE has no comment above it. Write what it means there.$"):
        read_text(SETTINGS.replace("# Its size.\n", ""))


def test_a_computed_default_that_nobody_tells_is_refused(read_text):
    with pytest.raises(
        UndocumentedVariableError, match=r"^The default of PATIENCE is computed. Tell it in the comment"
    ):
        read_text(SETTINGS.replace("by default", "each time"))


def test_the_settings_read_no_variable_that_the_reference_leaves_out():
    source = (settings.BASE_DIR / "config" / "settings.py").read_text()
    names = [
        variable.name
        for section in read(settings.BASE_DIR / "config" / "settings.py")
        for variable in section.variables
    ]
    assert sorted(names) == sorted(set(re.findall(r'env\.\w+\(\s*"(\w+)"', source)))
    assert len(names) > 50


def test_a_page_that_is_out_of_date_is_refused(tmp_path, capsys):
    file = tmp_path / "configuration.md"
    call_command("check_configuration", file=file, write=True)
    call_command("check_configuration", file=file)
    file.write_text(file.read_text().replace("| `LOG_LEVEL` | text | `INFO` |", "| `LOG_LEVEL` | text | `DEBUG` |"))
    with pytest.raises(CommandError, match="out of date"):
        call_command("check_configuration", file=file)
    assert "-| `LOG_LEVEL` | text | `DEBUG` |" in capsys.readouterr().out


def test_variables_that_are_named_almost_like_one_that_is_read(monkeypatch):
    monkeypatch.setattr("os.environ", {"RECOVERY_LEASES": "3", "DATABASE_URL": "x", "DATABASE_URI": "x", "LEASE": "3"})
    env = Environment()
    env.seconds("RECOVERY_LEASE", 30.0)
    env.str("DATABASE_URL", "")
    assert env.misspelt() == {"RECOVERY_LEASES": "RECOVERY_LEASE"}
