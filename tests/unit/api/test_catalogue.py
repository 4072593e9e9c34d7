"""What stops the start when the modules of the actions are imported."""

import sys

import pytest
from celery import current_app
from django.core.exceptions import ImproperlyConfigured

from api import catalogue

MODULE = '''
from celery import Task, shared_task
from rest_framework import serializers

from api.actions import ActionApi
from tasks.chainable import chainable


@shared_task(name="team.read", soft_time_limit=60)
def __read():
    return 1


@shared_task(name="team.write", time_limit=90)
def __write(x):
    return x


@chainable
def copy():
    return __read.s(), __write.s()


class CopyApi(ActionApi):
    """Copy something."""

    name = "copy-something"
    canvas = copy
    time_budget = None

    class InputSerializer(serializers.Serializer):
        pass

    OutputSerializer = serializers.IntegerField()
'''


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load the team's module, with a part of it changed, as a start does."""
    monkeypatch.setattr(catalogue, "_actions", {})
    monkeypatch.syspath_prepend(tmp_path)
    before = dict(current_app.tasks)

    def load(*changes):
        code = MODULE
        for old, new in changes:
            assert old in code
            code = code.replace(old, new)
        (tmp_path / "team_actions.py").write_text(code)
        catalogue.load(["team_actions"])

    yield load
    sys.modules.pop("team_actions", None)
    for name in set(current_app.tasks) - set(before):
        del current_app.tasks[name]


def test_what_is_declared_well_is_loaded(load):
    load()
    assert [action.name for action in catalogue.actions()] == ["copy-something"]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            'name="team.write"',
            'name="team.write", acks_late=True',
            "Task team.write: leave out acks_late and reject_on_worker_lost, ",
        ),
        (
            'name="team.write"',
            'name="team.read"',
            "Task name 'team.read' is already registered to a different callable. Give team_actions.__read or ",
        ),
        (
            'name="team.write"',
            'base=Task, name="team.write"',
            "Task team.write: have its class inherit BaseErrorHandlerMixin, or leave base out; team_actions.copy uses",
        ),
        (
            "time_budget = None",
            "time_budget = 80",
            "team_actions.CopyApi: give it a time_budget of at least 90 s, the time limit of its task team.write, or",
        ),
        (
            "time_budget = None",
            "time_budget = 59.5",
            "team_actions.CopyApi: give it a time_budget of at least 60 s, the time limit of its task team.read, or",
        ),
    ],
    ids=["a task", "a name twice", "no ledger", "hard limit", "soft limit"],
)
def test_what_is_not_stops_the_start_with_a_line(load, old, new, line):
    with pytest.raises(ImproperlyConfigured) as refused:
        load((old, new))
    assert str(refused.value).startswith(line)
    assert "\n" not in str(refused.value)


def test_a_time_budget_that_its_tasks_fit_in(load):
    load(("time_budget = None", "time_budget = 90"))


def test_limits_of_signatures_are_their_author_s_business(load):
    load(("time_budget = None", "time_budget = 10"), ("__write.s()", "__write.s().set(time_limit=5)"))


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(ImproperlyConfigured, match=r"^ACTION_MODULES names api\.nothing, and there is no module"):
        catalogue.load(["api.nothing"])
