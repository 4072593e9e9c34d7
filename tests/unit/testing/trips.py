"""An action as a team writes one: a trip of several stops, each of which may fail as often as a test wants."""

from collections import Counter

from celery import group, shared_task
from rest_framework import serializers

from api.actions import ActionApi
from tasks.base import BaseTask
from tasks.chainable import chainable

#: Stops that were made, in order, and how often the next visits to a stop fail.
done: list[str] = []
faults: Counter[str] = Counter()


class RoadClosedError(Exception):
    """The road to a stop is closed."""

    code = "road_closed"


class NobodyThereError(Exception):
    code = "nobody_there"


class TripTask(BaseTask):
    abstract = True
    autoretry_for = (RoadClosedError,)
    default_retry_delay = 60
    max_retries = 2


@shared_task(name="trips.plan")
def plan(stops):
    return stops


@shared_task(name="trips.visit", base=TripTask, retry_on_worker_lost=True)
def visit(stop):
    done.append(stop)
    if faults[stop]:
        faults[stop] -= 1
        raise RoadClosedError(f"The road to {stop} is closed.")
    return stop


@shared_task(name="trips.visit_once")
def visit_once(stop):
    done.append(stop)
    if stop == "nobody":
        raise NobodyThereError("There is nobody.")
    return stop


@shared_task(name="trips.extend")
def extend(stops):
    return travel(stops)


@shared_task(name="trips.tell")
def tell(stops):
    return {"stops": stops}


@shared_task(name="trips.wait", bind=True, max_retries=None)
def wait(self):
    self.retry(countdown=3600)


@chainable
def travel(stops):
    return group([visit.si(stop) for stop in stops]), tell.s()


@chainable
def extended(stops):
    return plan.si(stops), extend.s()


class Parameters(serializers.Serializer):
    stops = serializers.ListField(child=serializers.CharField())


class Result(serializers.Serializer):
    stops = serializers.ListField(child=serializers.CharField())


def declare(**changes):
    """Return an action, which joins the catalogue."""
    body = {
        "__doc__": "Travel.",
        "name": "travel",
        "canvas": travel,
        "errors": (RoadClosedError,),
        "time_budget": 600,
        "InputSerializer": Parameters,
        "OutputSerializer": Result,
    }
    return type("TravelApi", (ActionApi,), {**body, **changes})
