"""What the next version adds: an action, and its task, that the version before knows nothing of."""

from celery import shared_task
from celery.canvas import Signature
from rest_framework import serializers

from api.actions import ActionApi
from tasks.chainable import chainable


@shared_task(name="newer.work")
def __work() -> str:
    return "newer"


@chainable
def newer() -> tuple[Signature]:
    return (__work.s(),)


class NewerApi(ActionApi):
    """Do what only the next version can."""

    name = "newer"
    canvas = newer

    class InputSerializer(serializers.Serializer):
        pass

    OutputSerializer = serializers.CharField()
