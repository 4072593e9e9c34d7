"""Whether the work is being done: workers, what waits for them, and what nobody takes care of."""

from collections.abc import Iterator

from celery import current_app
from django.conf import settings

from reports import backlog, workers
from reports.backlog import Backlog
from services import queues
from services.doctor.findings import Finding, duration, mind, number, ok, wrong

_UNPUBLISHED = 60.0  # seconds that a report may be due


def examine_workers() -> Iterator[Finding]:
    """See that workers are alive."""
    known = workers.list_known()
    alive = [worker for worker in known if worker.is_alive]
    if alive:
        processes = sum(worker.processes for worker in alive)
        yield ok(f"{number(len(alive), 'worker')} alive, for {number(processes, 'task')} at once.")
    else:
        yield wrong(
            "No worker is alive: nothing runs, and what was lost is not taken up.",
            "Start one: celery -A config worker. Where one should run, its log says why it does not.",
        )
    for worker in known:
        if not worker.is_alive:
            yield mind(
                f"The worker {worker.name} has not been heard of for {duration(worker.silent_for)}.",
                "It was killed, or cannot reach the database: its log may tell. Told for an hour after it was lost.",
            )


def examine_waiting(longest_wait: float) -> Iterator[Finding]:
    """See that nothing waits for longer than ``longest_wait`` seconds, or for a worker that does not exist."""
    backlogs = backlog.find_backlogs()
    unknown = [waiting for waiting in backlogs if waiting.task not in current_app.tasks]
    if unknown:
        yield _unknown_tasks(unknown)
    waiting_in: dict[str, list[Backlog]] = {}
    for waiting in backlogs:
        if waiting not in unknown:
            waiting_in.setdefault(queues.name_for(waiting.task, waiting.options), []).append(waiting)
    served = {queue for worker in workers.list_known() if worker.is_alive for queue in worker.queues}
    faults = [fault for queue, found in waiting_in.items() for fault in _faults(queue, found, served, longest_wait)]
    yield from faults
    if not faults and not unknown:
        total = sum(waiting.number for waiting in backlogs)
        longest = f", for {duration(backlogs[0].waiting_for)} at most" if backlogs else ""
        yield ok(f"{number(total, 'task')} waiting for a worker{longest}.")


def examine_care() -> Iterator[Finding]:
    """See that recovery does what it is there for."""
    lease = settings.RECOVERY_LEASE
    abandoned = backlog.count_abandoned(3 * lease)
    if abandoned:
        yield wrong(
            f"{number(abandoned, 'task')} running whose worker has not been heard of for {duration(3 * lease)}.",
            "Recovery should have rescued them after a lease: see the workers' logs for what keeps it from that.",
        )
    unpublished = backlog.count_unpublished(_UNPUBLISHED)
    if unpublished:
        yield wrong(
            f"{number(unpublished, 'task')} due for more than {duration(_UNPUBLISHED)} and not published.",
            "Recovery should have published them: see that workers are alive and reach the broker, and their logs.",
        )
    if not abandoned and not unpublished:
        yield ok("Nothing is left lying.")


def _faults(queue: str, found: list[Backlog], served: set[str], longest_wait: float) -> Iterator[Finding]:
    total = number(sum(waiting.number for waiting in found), "task")
    first = max(found, key=lambda waiting: waiting.waiting_for)
    longest = duration(first.waiting_for)
    if queue not in served:
        yield wrong(
            f"No worker takes from the queue {queue}: {total} waiting, for {longest} at most.",
            f"Start one that does: celery -A config worker --queues {queue}",
        )
    elif first.waiting_for > longest_wait:
        yield wrong(
            f"{first.task} has waited for a worker for {longest}, in the queue {queue} with {total}.",
            "Start more workers for it, or see in their logs what keeps them.",
        )


def _unknown_tasks(unknown: list[Backlog]) -> Finding:
    names = ", ".join(sorted({waiting.task for waiting in unknown}))
    total = number(sum(waiting.number for waiting in unknown), "task")
    return wrong(
        f"{total} waiting that this code does not know: {names}.",
        "Deploy the version that has them, or put their modules into ACTION_MODULES; else cancel their actions.",
    )
