"""Each way to declare an action wrongly stops the import with one line: the class and what to change."""

import re

import pytest
from django.core.exceptions import ImproperlyConfigured
from rest_framework import serializers

from api import catalogue
from api.actions import ActionApi
from reports.codes import ErrorCode
from tasks.chainable import chainable


@chainable
def greet(name, greeting="Hello"):
    return ()


def declare(base=ActionApi, **changes):
    class InputSerializer(serializers.Serializer):
        name = serializers.CharField()

    body = {
        "__doc__": "Greet somebody.",
        "__module__": "team.actions",
        "__qualname__": "GreetApi",
        "name": "greet-somebody",
        "canvas": greet,
        "InputSerializer": InputSerializer,
        "OutputSerializer": serializers.Serializer,
        **changes,
    }
    return type("GreetApi", (base,), {key: value for key, value in body.items() if value is not ...})


def test_a_well_declared_action_joins_the_catalogue():
    action = declare()

    assert action in catalogue.actions()
    assert (action.name, action.description) == ("greet-somebody", "Greet somebody.")


@pytest.mark.parametrize(
    ("changes", "change"),
    [
        ({"name": ...}, 'give it a name of lower-case words with hyphens, such as name = "sync-invoices", not None'),
        ({"name": "Greet"}, "not 'Greet'"),
        ({"name": "greet_somebody"}, "not 'greet_somebody'"),
        ({"name": "greet/../admin"}, "not 'greet/../admin'"),
        ({"name": "-greet"}, "not '-greet'"),
        ({"name": "g" * 93}, "lower-case words"),
        ({"name": "list-reports"}, "give it another name; 'list-reports' stands for something else in the API"),
        ({"name": "sync-invoices"}, "'sync-invoices' is api.invoices.SyncInvoicesApi already"),
        (
            {"name": "sync-invoices-batch"},
            "'sync-invoices-batch' stands for the batches of api.invoices.SyncInvoicesApi",
        ),
        ({"name": "sync-invoices-batch-item"}, "stands for the batches of api.invoices.SyncInvoicesApi"),
        ({"filterable": "name"}, """give it filterable = ("<field>", …), names of fields, not 'name'"""),
        ({"filterable": (1,)}, "names of fields, not (1,)"),
        ({"filterable": ("nickname",)}, "filterable names nickname; InputSerializer has no such field"),
        (
            {"filterable": ("name",)},
            "filterable names name; take fields with one short value, a text with a max_length",
        ),
        ({"__doc__": None}, "give it a docstring"),
        ({"__doc__": "  \n "}, "give it a docstring"),
        ({"canvas": ...}, "give it canvas = <a function decorated with @chainable>, not None"),
        ({"canvas": len}, "not <built-in function len>"),
        ({"InputSerializer": ...}, "give it a class InputSerializer(serializers.Serializer), empty without parameters"),
        ({"InputSerializer": dict}, "give it a class InputSerializer"),
        ({"name": "cancel-report"}, "'cancel-report' stands for something else in the API"),
        ({"name": "retry-report"}, "'retry-report' stands for something else in the API"),
        *(
            ({"example": example}, f"give it an example that has the fields of InputSerializer, not {example!r}")
            for example in ({}, {"nmae": "Ada"}, {"name": "Ada", "age": 36}, "Ada")
        ),
        *(
            (
                {"time_budget": budget},
                f"give it a time_budget in seconds, above 0 and up to a year, or None, not {shown}",
            )
            for budget, shown in ((0, "0"), (-1, "-1"), ("60", "'60'"), (True, "True"), (1e9, "1000000000.0"))
        ),
        ({"time_budget": float("nan")}, "not nan"),
        *(({"restricted": said}, f"give it restricted = True or False, not {said!r}") for said in (None, "yes", 1)),
        ({"OutputSerializer": ...}, "give it an OutputSerializer that describes its result"),
        ({"OutputSerializer": serializers.ListField}, "give it an OutputSerializer"),
    ],
)
def test_what_is_missing_or_wrong_is_named(changes, change):
    with pytest.raises(ImproperlyConfigured, match=re.escape(change)) as caught:
        declare(**changes)

    assert str(caught.value).startswith("team.actions.GreetApi: ")
    assert "\n" not in str(caught.value)


def test_a_name_that_stands_for_the_batches_of_an_action_is_refused_whichever_comes_first():
    declare(name="greet-batch")

    with pytest.raises(ImproperlyConfigured, match=r"'greet-batch' stands for the batches of team\.actions"):
        declare(name="greet")
    assert catalogue.find("greet") is None


def with_fields(**fields):
    return type("InputSerializer", (serializers.Serializer,), fields)


@pytest.mark.parametrize(
    ("fields", "change"),
    [
        ({}, "canvas greet needs name; add that field to InputSerializer"),
        (
            {"name": serializers.CharField(required=False)},
            "canvas greet needs name; make that field required, or give it a default",
        ),
        (
            {"name": serializers.CharField(), "nmae": serializers.CharField()},
            "canvas greet does not take nmae; remove that field from InputSerializer",
        ),
        (
            {"name": serializers.FileField()},
            "change InputSerializer: field name is a FileField, which no JSON parameter can be",
        ),
    ],
)
def test_parameters_that_the_canvas_cannot_be_called_with_are_refused(fields, change):
    with pytest.raises(ImproperlyConfigured, match=re.escape(change)):
        declare(InputSerializer=with_fields(**fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"name": serializers.CharField(default="you")},
        {"name": serializers.CharField(), "greeting": serializers.CharField(required=False)},
    ],
)
def test_defaults_fit_on_either_side(fields):
    assert declare(InputSerializer=with_fields(**fields)) in catalogue.actions()


def test_a_canvas_that_takes_anything_is_given_anything():
    @chainable
    def greet_anyhow(**details):
        return ()

    assert declare(canvas=greet_anyhow) in catalogue.actions()


def test_a_canvas_must_take_its_parameters_by_name():
    @chainable
    def greet_by_position(name, /):
        return ()

    with pytest.raises(ImproperlyConfigured, match="let canvas greet_by_position take name by name"):
        declare(canvas=greet_by_position)


class GreetError(Exception):
    """Nobody is there to be greeted.

    More, for those who read the code.
    """

    code = "nobody_there"
    retryable = True


def error(base=Exception, doc="It fails.", **body):
    return type("RudeError", (base,), {"__doc__": doc, **body})


def test_the_codes_that_it_fails_with_are_known_by_their_exceptions():
    action = declare(errors=(GreetError, error(code="a_rude_word"), GreetError))

    assert action.error_codes == (
        ErrorCode("a_rude_word", None, "It fails."),
        ErrorCode("nobody_there", True, "Nobody is there to be greeted."),
    )
    assert catalogue.error_codes()[action.error_codes[1]] == ["greet-somebody"]


def test_it_need_not_declare_any():
    assert declare().error_codes == ()


@pytest.mark.parametrize(
    ("errors", "change"),
    [
        (GreetError, "give it errors = (<classes of exceptions>, …), not <class"),
        ("nobody_there", "give it errors = (<classes of exceptions>, …), not 'nobody_there'"),
        (["nobody_there"], "change errors: 'nobody_there' is no class of exceptions"),
        ([GreetError()], "change errors: GreetError() is no class of exceptions"),
        ([KeyboardInterrupt], "change errors: <class 'KeyboardInterrupt'> is no class of exceptions"),
        ([error()], 'give RudeError a code of lower-case words, such as code = "customer_not_found", not None'),
        ([error(code="Rude")], "not 'Rude'"),
        ([error(code="rude-word")], "not 'rude-word'"),
        ([error(code="r" * 101)], "lower-case words"),
        ([error(code=404)], "not 404"),
        ([error(code="timed_out")], "give RudeError another code; every action may fail with 'timed_out' already"),
        ([error(code="rude", retryable="yes")], "give RudeError retryable = True, False or None, not 'yes'"),
        ([error(code="rude", doc=None)], "give RudeError a docstring that tells clients what rude means"),
        ([error(code="rude", doc=" ")], "give RudeError a docstring"),
        ([error(base=GreetError, doc=None)], "give RudeError a docstring"),
        (
            [GreetError, error(base=GreetError)],
            "give RudeError another code; 'nobody_there' is another error's already",
        ),
        (
            [error(code="customer_not_found")],
            "give its error with the code 'customer_not_found' another one; that of api.invoices.SyncInvoicesApi",
        ),
    ],
)
def test_errors_that_tell_clients_nothing_are_refused(errors, change):
    with pytest.raises(ImproperlyConfigured, match=re.escape(change)):
        declare(errors=errors)


def test_actions_share_errors():
    first = declare(errors=[GreetError])
    second = declare(errors=[GreetError], name="greet-again")

    assert first.error_codes == second.error_codes
    assert catalogue.error_codes()[first.error_codes[0]] == ["greet-again", "greet-somebody"]


def test_a_common_base_is_no_action():
    class TeamApi(ActionApi, abstract=True):
        pass

    assert TeamApi not in catalogue.actions()


def test_a_time_budget_is_inherited_from_a_common_base():
    class TeamApi(ActionApi, abstract=True):
        time_budget = 2.5

    assert declare(TeamApi).time_budget == 2.5


def test_a_result_may_be_a_list():
    action = declare(OutputSerializer=serializers.ListField(child=serializers.IntegerField()))

    assert isinstance(action.result, serializers.ListField)


def test_a_module_that_is_not_there_is_named():
    expected = r"ACTION_MODULES names nowhere\.actions, and there is no module nowhere"
    with pytest.raises(ImproperlyConfigured, match=expected):
        catalogue.load(["nowhere.actions"])
