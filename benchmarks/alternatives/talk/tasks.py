"""The mixin sets the report of an action when a task ends; each task of the chain is given the report's id.

So a report is ``ok`` after the first of two tasks: the race that the talk warns of comes with the design.
"""

from typing import Any

from celery import Task, shared_task

from benchmarks.alternatives.talk.models import AsyncActionReport


class BaseErrorHandlerMixin:
    def on_failure(self, exc: Exception, task_id: str, args: Any, kwargs: Any, einfo: Any) -> None:
        del task_id, args
        AsyncActionReport.objects.filter(id=kwargs["async_action_report_id"]).update(
            status=AsyncActionReport.FAILED, error_message=str(exc), error_traceback=str(einfo)
        )

    def on_success(self, retval: Any, task_id: str, args: Any, kwargs: Any) -> None:
        del retval, task_id, args
        AsyncActionReport.objects.filter(id=kwargs["async_action_report_id"]).update(status=AsyncActionReport.OK)


class BaseTask(BaseErrorHandlerMixin, Task):
    abstract = True


@shared_task(name="talk.first", base=BaseTask)
def first(number: int, **kwargs: Any) -> int:
    del kwargs
    return number


@shared_task(name="talk.second", base=BaseTask)
def second(number: int, **kwargs: Any) -> int:
    del kwargs
    return number
