"""openapi.yaml: generated, up to date, valid, and the same for old actions when a new one is added."""

import re
from io import StringIO

import pytest
import yaml
from django.core.management import CommandError, call_command
from drf_spectacular.generators import SchemaGenerator
from openapi_spec_validator import OpenAPIV31SpecValidator
from rest_framework import serializers

from api import catalogue
from api.actions import ActionApi
from api.batch import routes_of
from api.problems import PROBLEM_TYPES
from api.urls import urlpatterns
from reports.codes import ENGINE_CODES
from services.invoices.errors import InvoicesPlusError
from tasks.chainable import chainable
from tests.contract.document import committed, operations, require_valid


def check(file, **options):
    out = StringIO()
    call_command("check_openapi", file=file, stdout=out, **options)
    return out.getvalue()


def test_the_committed_document_is_up_to_date():
    call_command("check_openapi")


def test_what_is_out_of_date_is_shown_as_a_difference(tmp_path, settings):
    stale = tmp_path / "openapi.yaml"
    stale.write_text((settings.BASE_DIR / "openapi.yaml").read_text().replace("maxLength: 254", "maxLength: 255"))
    out = StringIO()

    with pytest.raises(
        CommandError, match=r"openapi\.yaml is out of date\. Run: python manage\.py check_openapi --write"
    ):
        call_command("check_openapi", file=stale, stdout=out)

    assert "--- openapi.yaml, committed\n+++ openapi.yaml, generated\n" in out.getvalue()
    assert re.search(r"^- +maxLength: 255\n\+ +maxLength: 254\n", out.getvalue(), re.MULTILINE)


def test_a_document_that_is_missing_is_written(tmp_path):
    file = tmp_path / "openapi.yaml"
    with pytest.raises(CommandError, match="is out of date"):
        check(file)

    check(file, write=True)

    assert check(file) == ""


def test_it_is_valid():
    OpenAPIV31SpecValidator(committed()).validate()


def test_every_operation_has_a_name_that_reads_well_as_a_method():
    assert set(operations(committed())) == {
        *("ensure_customer", "invoice_customer", "sync_all_invoices", "sync_invoices"),
        *("ensure_customer_batch", "invoice_customer_batch", "sync_all_invoices_batch", "sync_invoices_batch"),
        *("cancel_report", "get_report", "list_actions", "list_report_tasks", "list_reports", "retry_report"),
        "watch_report",
    }


def test_unknown_parameters_are_refused_in_the_document_as_well():
    schemas = committed()["components"]["schemas"]

    requests = [schema for name, schema in schemas.items() if name.endswith("Request")]
    assert len(requests) == 4 * 3  # of one, of a batch, and of each in a batch
    assert all(schema["additionalProperties"] is False for schema in requests)


def test_a_property_of_a_report_does_not_hide_its_class_in_generated_code():
    schemas = committed()["components"]["schemas"]

    for name, schema in schemas.items():
        assert name.lower() not in schema.get("properties", {}), name


def test_links_are_references_relative_to_the_service():
    document = committed()
    schemas = document["components"]["schemas"]
    links = [*schemas["ReportLinks"]["properties"].values(), *schemas["TaskLinks"]["properties"].values()]
    locations = [
        response["headers"]["Location"]["schema"]
        for _, _, operation in operations(document).values()
        for response in operation["responses"].values()
        if "Location" in response.get("headers", {})
    ]

    assert len(locations) == 4 * 2 + 1
    for schema in [*links, *locations, schemas["Action"]["properties"]["url"]]:
        assert (schema["type"], schema["format"]) == ("string", "uri-reference")


@pytest.mark.parametrize(
    ("component", "field", "meaning"),
    [
        ("Status", None, "ok, failed and cancelled are final"),
        ("Counts", None, "may grow"),
        ("TaskReport", "task", "is, or became, this"),
        ("TaskReport", "not_before", "for its schedule, or for another attempt"),
        ("TaskReport", "dispatched_at", "handed out"),
        ("Report", "started_at", "null until it starts again"),
        ("Report", "deadline_at", "may be some seconds late"),
        ("Report", "deadline_at", "Null once it has started, unless it has a time budget"),
    ],
)
def test_what_a_name_does_not_tell_is_said(component, field, meaning):
    schema = committed()["components"]["schemas"][component]

    assert meaning in (schema["properties"][field] if field else schema)["description"]


def test_the_guide_has_the_operator_s_defaults_and_headers_that_there_are(settings):
    document = committed()
    guide = document["info"]["description"]
    reference = (settings.BASE_DIR / "docs" / "configuration.md").read_text()

    for setting, default, said in (
        ("REQUEST_MAX_WAIT", "30", "up to 30 seconds"),
        ("REQUEST_MAX_BODY_BYTES", "1048576", "1 MiB"),
        ("REPORT_RETENTION_DAYS", "30", "30 days"),
    ):
        assert re.search(rf"^\| `{setting}` \| [\w ]+ \| `{default}` \|", reference, re.MULTILINE), setting
        assert said in " ".join(guide.split())
    known = {header for _, _, operation in operations(document).values() for header in headers_of(operation)}
    told = set(re.findall(r"`([A-Z][\w-]+)`", guide))
    assert told >= {"Location", "Retry-After", "ETag", "Idempotency-Key"}
    assert told - {"GET", "POST"} <= known


def headers_of(operation):
    sent = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "header"}
    return sent.union(*(response.get("headers", {}) for response in operation["responses"].values()))


@pytest.mark.parametrize(
    ("operation", "told"),
    [
        ("retry_report", "Not idempotent"),
        ("cancel_report", "409, `report_final`"),
        ("watch_report", "Not for generated SDKs"),
    ],
)
def test_what_is_repeated_and_how_is_said(operation, told):
    _, _, described = operations(committed())[operation]

    assert told in " ".join(described["description"].split())


def test_every_operation_says_which_problems_it_may_answer():
    for _, _, operation in operations(committed()).values():
        responses = operation["responses"]
        told = {
            status: set(re.findall(r"`(\w+)`: ", response["description"]))
            for status, response in responses.items()
            if "application/problem+json" in response.get("content", ())
        }
        assert {"400", "401", "405", "429", "500", "503"} <= told.keys()
        for status, codes in told.items():
            assert codes
            assert {str(PROBLEM_TYPES[code].status) for code in codes} == {status}
        assert all("Retry-After" in responses[status]["headers"] for status in ("429", "503"))
        assert told["401"] == {"authentication_required", "token_invalid"}
    _, _, operation = operations(committed())["sync_invoices"]
    assert "`plan_too_large`" in operation["responses"]["422"]["description"]


def test_a_problem_lists_its_codes():
    problem = committed()["components"]["schemas"]["Problem"]

    assert set(re.findall(r"\w+", problem["properties"]["code"]["description"])) >= PROBLEM_TYPES.keys()
    assert "/problems" in problem["description"]


def test_an_amount_above_0_has_no_minus_and_a_text_more_than_white_space():
    properties = committed()["components"]["schemas"]["InvoiceCustomerRequest"]["properties"]

    assert properties["amount"]["pattern"] == r"^(?=.*[1-9])[0-9]{1,10}(\.[0-9]{1,2})?$"
    assert properties["name"]["pattern"] == properties["reference"]["pattern"] == r"\S"


def test_an_action_names_the_codes_that_it_fails_with():
    def codes_below(error):
        return {error.code}.union(*(codes_below(child) for child in error.__subclasses__()))

    known = codes_below(InvoicesPlusError) - {InvoicesPlusError.code}
    told = {
        name: set(re.findall(r"`([a-z_]+)`", operation["description"]))
        for name, (path, _, operation) in operations(committed()).items()
        if path.startswith("/actions/") and not path.endswith("/batch")
    }
    everywhere = {code for code in known if code.startswith("invoices_plus_")}

    schemas = committed()["components"]["schemas"]
    for name, codes in told.items():
        error = schemas[f"{name.title().replace('_', '')}Error"]["properties"]["code"]
        # Open, so that an SDK from before a code existed reads it as well.
        assert (error["type"], set(error["examples"])) == ("string", codes | ENGINE_CODES.keys())
        assert all(code in error["description"] for code in error["examples"])
        assert "enum" not in error
    assert told == {
        "sync_invoices": everywhere | {"customer_not_found"},
        "sync_all_invoices": everywhere | {"customer_not_found"},
        "ensure_customer": everywhere | {"customer_exists"},
        "invoice_customer": known,
    }


@pytest.fixture
def added(monkeypatch):
    """Return the document with one more action, whose parameters use everything that a schema can be strict about."""
    monkeypatch.setattr(catalogue, "_actions", dict(catalogue._actions))

    @chainable
    def order(**things):
        return ()

    class LineSerializer(serializers.Serializer):
        amount = serializers.DecimalField(max_digits=6, decimal_places=2)

    class OrderThingsApi(ActionApi):
        """Order things.

        As many as you like.
        """

        name = "order-things"
        canvas = order

        class InputSerializer(serializers.Serializer):
            lines = LineSerializer(many=True, min_length=1, max_length=5)
            tags = serializers.ListField(child=serializers.CharField(), max_length=3, allow_empty=False)
            priority = serializers.ChoiceField(choices=["low", "high"])
            count = serializers.IntegerField()
            scores = serializers.DictField(child=serializers.FloatField())
            day = serializers.DateField()
            urgent = serializers.BooleanField(default=False)

        OutputSerializer = serializers.ListField(child=serializers.IntegerField())

    patterns = [*urlpatterns, *routes_of(OrderThingsApi)]
    monkeypatch.setattr("config.urls.urlpatterns", patterns)
    schema = SchemaGenerator(patterns=patterns).get_schema(public=True)
    return yaml.safe_load(yaml.safe_dump(schema))


def test_an_added_action_changes_nothing_that_was_there(added):
    before = committed()

    for kind, old in before["components"].items():
        for name, schema in old.items():
            if name != "AnyReport":
                assert added["components"][kind][name] == schema, name
    for url, methods in before["paths"].items():
        assert added["paths"][url] == methods
    assert added["components"]["schemas"].keys() - before["components"]["schemas"].keys() == {
        *("OrderThingsRequest", "OrderThingsParameters", "OrderThingsReport", "OrderThingsAnswer"),
        *("OrderThingsError", "OrderThingsBatchRequest", "OrderThingsBatchItemRequest"),
        *("LineRequest", "Line"),
    }


def test_the_last_resort_stays_last_for_sdks_that_do_not_know_an_action(added):
    variants = [variant["$ref"].rsplit("/", 1)[1] for variant in added["components"]["schemas"]["AnyReport"]["anyOf"]]

    assert variants[-2:] == ["TaskReport", "Report"]
    assert "OrderThingsReport" in variants


def test_strictness_is_documented(added):
    properties = added["components"]["schemas"]["OrderThingsRequest"]["properties"]

    assert properties["lines"] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/LineRequest"},
        "minItems": 1,
        "maxItems": 5,
    }
    assert properties["tags"] == {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "minItems": 1,
        "maxItems": 3,
    }
    assert properties["priority"] == {"type": "string", "enum": ["low", "high"]}
    assert properties["count"] == {"type": "integer", "format": "int64"}
    assert properties["scores"] == {"type": "object", "additionalProperties": {"type": "number", "format": "double"}}
    line = added["components"]["schemas"]["LineRequest"]
    assert line["additionalProperties"] is False
    assert line["properties"]["amount"]["pattern"] == r"^-?[0-9]{1,4}(\.[0-9]{1,2})?$"


def test_an_action_is_described_by_its_docstring(added):
    operation = added["paths"]["/actions/order-things"]["post"]

    assert (operation["operationId"], operation["summary"]) == ("order_things", "Order things")
    assert operation["description"] == "Order things.\n\nAs many as you like."
    report = added["components"]["schemas"]["OrderThingsReport"]["properties"]
    assert report["action"] == {"type": "string", "const": "order-things"}
    assert report["result"] == {"type": ["array", "null"], "items": {"type": "integer", "format": "int64"}}


def test_every_operation_shows_examples_that_are_as_it_says():
    document = committed()
    for name, (_, method, operation) in operations(document).items():
        [status] = (status for status, answer in operation["responses"].items() if shown_in(answer))
        shown = [(operation["responses"][status], name)]
        if "requestBody" in operation:
            shown.append((operation["requestBody"], name))
        assert ("requestBody" in operation) == (method == "post" and "/reports/" not in operations(document)[name][0])
        for place, of in shown:
            assert shown_in(place), of
            for media in place["content"].values():
                for example in media["examples"].values():
                    require_valid(example["value"], media["schema"])


def shown_in(place):
    return any("examples" in media for media in place.get("content", {}).values())
