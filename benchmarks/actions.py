"""The service's part in the comparison: actions of tasks that do nothing."""

from typing import Any

from celery import group, shared_task
from celery.canvas import Signature
from rest_framework import serializers

from api.actions import ActionApi
from tasks.chainable import chainable


@shared_task(name="benchmark.first")
def __first(number: int) -> int:
    return number


@shared_task(name="benchmark.second")
def __second(number: int) -> int:
    return number


@chainable
def pair(number: int) -> tuple[Signature[Any], ...]:
    return __first.s(number), __second.s()


@chainable
def many(tasks: int) -> Signature[Any]:
    return group(__first.si(number) for number in range(tasks))


class PairApi(ActionApi):
    """Two tasks, of which the second is given the first one's result."""

    name = "pair"
    canvas = pair

    class InputSerializer(serializers.Serializer):
        number = serializers.IntegerField(min_value=0)

    OutputSerializer = serializers.IntegerField()


class ManyApi(ActionApi):
    """As many tasks side by side as are asked for."""

    name = "many"
    canvas = many

    class InputSerializer(serializers.Serializer):
        tasks = serializers.IntegerField(min_value=1)

    OutputSerializer = serializers.ListField()
