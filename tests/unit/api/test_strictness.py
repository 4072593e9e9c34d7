from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from api.strictness import make_strict
from api.validation import errors_of

JSON_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)


class LineSerializer(serializers.Serializer):
    amount = serializers.DecimalField(max_digits=6, decimal_places=2)
    note = serializers.CharField(required=False)


class OrderSerializer(serializers.Serializer):
    text = serializers.CharField(required=False)
    count = serializers.IntegerField(required=False)
    ratio = serializers.FloatField(required=False)
    paid = serializers.BooleanField(required=False)
    day = serializers.DateField(required=False)
    id = serializers.UUIDField(required=False)
    colour = serializers.ChoiceField(choices=["red", "green"], required=False)
    size = serializers.ChoiceField(choices=[1, 2], required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    weights = serializers.DictField(child=serializers.FloatField(), required=False)
    lines = LineSerializer(many=True, required=False)
    first = LineSerializer(required=False)
    anything = serializers.JSONField(required=False)


@pytest.fixture(scope="module")
def order() -> serializers.Serializer:
    serializer = OrderSerializer()
    make_strict(serializer)
    return serializer


def refusals(serializer, data):
    with pytest.raises(ValidationError) as caught:
        serializer.run_validation(data)
    return {(error["pointer"], error["code"]) for error in errors_of(caught.value.detail)}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", 5),
        ("text", True),
        ("text", ["a"]),
        ("count", "5"),
        ("count", True),
        ("count", 5.5),
        ("count", 2**63),
        ("count", -(2**63) - 1),
        ("count", 1e300),
        ("ratio", "1.5"),
        ("ratio", False),
        ("paid", "true"),
        ("paid", 1),
        ("day", 20240101),
        ("id", 5),
        ("colour", 1),
        ("size", "1"),
        ("size", True),
        ("tags", "a"),
        ("tags", {"0": "a"}),
        ("weights", []),
        ("lines", {}),
        ("first", []),
    ],
)
def test_a_value_of_another_json_type_is_refused(order, field, value):
    assert refusals(order, {field: value}) == {(f"#/{field}", "invalid_type")}


@pytest.mark.parametrize("amount", [12.5, 12, "1e2", " 12.50", "12.50 ", "12.", ".5", "+1", "NaN", "", "1_0"])
def test_a_decimal_is_a_plain_number_in_a_string(order, amount):
    assert refusals(order, {"first": {"amount": amount}}) == {("#/first/amount", "invalid_type")}
    assert order.run_validation({"first": {"amount": "-12.5"}})["first"]["amount"] == Decimal("-12.50")


def test_integers_may_be_written_as_json_schema_allows(order):
    assert order.run_validation({"count": 5.0})["count"] == 5
    assert order.run_validation({"count": 1e18})["count"] == 10**18
    assert order.run_validation({"count": -(2**63)})["count"] == -(2**63)
    assert order.run_validation({"ratio": 5})["ratio"] == 5.0


def test_nothing_is_trimmed(order):
    assert order.run_validation({"text": " a ", "tags": ["  "]}) == {"text": " a ", "tags": ["  "]}


def test_unknown_fields_are_refused_at_every_depth_beside_all_other_errors(order):
    data = {"texd": 1, "count": "1", "lines": [{"amount": "1"}, {"amuont": "1"}], "a/b~c": 1}

    assert refusals(order, data) == {
        ("#/texd", "unknown_field"),
        ("#/a~1b~0c", "unknown_field"),
        ("#/count", "invalid_type"),
        ("#/lines/1/amuont", "unknown_field"),
        ("#/lines/1/amount", "required"),
    }


@pytest.mark.parametrize("body", [[], "text", 5, True])
def test_a_body_that_is_no_object_is_refused(order, body):
    assert refusals(order, body) == {("#", "invalid_type")}


def test_any_json_is_left_to_a_json_field(order):
    assert order.run_validation({"anything": {"a": [1, None, "x"]}}) == {"anything": {"a": [1, None, "x"]}}


@given(value=JSON_SCALARS)
def test_whatever_is_accepted_comes_back_unchanged(value):
    """What the report shows as parameters is what the client sent: nothing is converted on the way."""
    serializer = serializers.Serializer()
    serializer.fields["text"] = serializers.CharField(required=False)
    serializer.fields["count"] = serializers.IntegerField(required=False)
    serializer.fields["ratio"] = serializers.FloatField(required=False)
    serializer.fields["paid"] = serializers.BooleanField(required=False)
    make_strict(serializer)
    for name in ("text", "count", "ratio", "paid"):
        try:
            valid = serializer.run_validation({name: value})
        except ValidationError:
            continue
        assert serializer.to_representation(valid)[name] == (float(value) if name == "ratio" else value)


@pytest.mark.parametrize(
    "field",
    [
        serializers.FileField(),
        serializers.HiddenField(default=1),
        serializers.MultipleChoiceField(choices=["a"]),
        serializers.ReadOnlyField(),
        serializers.CharField(read_only=True),
        serializers.CharField(write_only=True),
        serializers.DecimalField(max_digits=3, decimal_places=1, coerce_to_string=False),
        serializers.ListField(child=serializers.FileField()),
    ],
    ids=lambda field: type(field).__name__,
)
def test_what_no_json_parameter_can_be_is_refused_by_name(field):
    serializer = serializers.Serializer()
    serializer.fields["upload"] = field

    with pytest.raises(ValueError, match=r"field (upload|FileField) "):
        make_strict(serializer)


def test_of_many_fields_some_are_listed():
    fields = {f"field_{number:02}": serializers.CharField(required=False) for number in range(30)}
    serializer = type("ManySerializer", (serializers.Serializer,), fields)()
    make_strict(serializer)

    with pytest.raises(ValidationError) as caught:
        serializer.run_validation({"no": 1})

    [error] = errors_of(caught.value.detail)
    assert error["detail"].startswith("There is no such field; known: field_00, field_01, ")
    assert error["detail"].endswith(", field_19, 10 more.")


def test_a_pattern_is_named_unless_its_author_says_it_better():
    class CodesSerializer(serializers.Serializer):
        code = serializers.RegexField(r"^[a-z]+\Z")
        said = serializers.RegexField("^[a-z]+$", error_messages={"invalid": "Use small letters."})

    serializer = CodesSerializer()
    make_strict(serializer)

    with pytest.raises(ValidationError) as caught:
        serializer.run_validation({"code": "A", "said": "A"})

    assert [error["detail"] for error in errors_of(caught.value.detail)] == [
        "This does not match the pattern ^[a-z]+$",
        "Use small letters.",
    ]
