from celery import current_app
from celery.app.trace import build_tracer


def deliver(task: str, report: str) -> str:
    """Have a task run for a report as in a worker's child: by Celery's own tracer, without a worker and a broker.

    Returns the state that Celery comes to: SUCCESS, RETRY, FAILURE, or IGNORED where the message was refused.
    """
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  the tracer takes no proxy
    trace = build_tracer(task, app.tasks[task], app=app, propagate=False)
    request = {"id": report, "task": task, "root_id": report, "delivery_info": {}, "retries": 0, "hostname": "testing"}
    outcome = trace(report, [], {}, request)
    return str(outcome.info.state) if outcome.info else "SUCCESS"
