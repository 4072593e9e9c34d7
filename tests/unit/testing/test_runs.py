"""What a test is told of an action, and what it is told when that is not what it expected."""

import pytest
from rest_framework import serializers

from testing.workbench import run_action
from tests.unit.testing import trips
from tests.unit.testing.trips import done, faults

pytestmark = pytest.mark.django_db


def test_the_only_task_of_a_name(travel):
    run = run_action(travel, {"stops": ["Rome", "Oslo"]})
    assert run.task("trips.tell").result == {"stops": ["Rome", "Oslo"]}
    for name, count in (("trips.visit", 2), ("trips.fly", 0)):
        with pytest.raises(AssertionError, match=rf"^{count} tasks are {name}\.\ntravel ok"):
            run.task(name)


def test_the_tree_is_drawn(travel):
    faults["Oslo"] = 9
    assert str(run_action(travel, {"stops": ["Rome", "Oslo"]})) == (
        "travel failed: road_closed, The road to Oslo is closed.\n"
        "  group failed: road_closed, The road to Oslo is closed.\n"
        "    trips.visit ok\n"
        "    trips.visit failed, 3 attempts: road_closed, The road to Oslo is closed.\n"
        "  trips.tell cancelled"
    )


def test_an_action_that_should_be_ok_shows_what_went_wrong(travel):
    faults["Rome"] = 9
    run = run_action(travel, {"stops": ["Rome"]})
    with pytest.raises(AssertionError) as told:
        run.expect_ok()
    assert str(told.value).startswith("It should be ok.\ntravel failed: road_closed")
    assert 'raise RoadClosedError(f"The road to {stop} is closed.")' in str(told.value)


def test_an_action_that_should_have_failed_shows_what_became_of_it(travel):
    run = run_action(travel, {"stops": ["Rome"]})
    with pytest.raises(AssertionError, match=r"^It should have failed with road_closed\.\ntravel ok"):
        run.expect_failed("road_closed")
    faults["Rome"] = 9
    run = run_action(travel, {"stops": ["Rome"]})
    with pytest.raises(AssertionError, match=r"^It should have failed with timed_out\.\ntravel failed: road_closed"):
        run.expect_failed("timed_out")


@trips.chainable
def to_nobody(stops):
    return trips.visit_once.si("nobody")


def test_a_code_that_the_action_does_not_declare_is_told():
    run = run_action(trips.declare(canvas=to_nobody), {"stops": []})
    with pytest.raises(AssertionError, match=r"^Add the exception with the code nobody_there to errors of TravelApi\."):
        run.expect_failed("nobody_there")
    assert run_action(to_nobody([])).expect_failed("nobody_there").message == "There is nobody."
    assert done == ["nobody", "nobody"]


class Fewer(serializers.Serializer):
    pass


class Other(serializers.Serializer):
    length = serializers.FloatField()


class Shown(serializers.Serializer):
    stops = serializers.SerializerMethodField()


@pytest.mark.parametrize(
    "output", [trips.Result, Fewer, Shown, serializers.DictField()], ids=["as declared", "more", "for showing", "any"]
)
def test_a_result_that_is_as_declared(output):
    run = run_action(trips.declare(OutputSerializer=output), {"stops": ["Rome"]})
    assert run.expect_ok() == {"stops": ["Rome"]}


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        (serializers.ListField(), "# is not as declared. This must be a list."),
        (Other, "#/length is not as declared. This field is required."),
    ],
    ids=["another type", "other fields"],
)
def test_a_result_that_is_not_is_told(output, fault):
    run = run_action(trips.declare(OutputSerializer=output), {"stops": ["Rome"]})
    with pytest.raises(AssertionError) as told:
        run.expect_ok()
    assert str(told.value) == f"Change OutputSerializer, or the result: {fault}\n{{'stops': ['Rome']}}"
