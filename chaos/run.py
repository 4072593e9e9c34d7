"""One run: a mixed load while parts of the service are killed; then peace, and the audit."""

import time
from collections import Counter
from functools import partial

from chaos import ledger, observer, strikes, witness
from chaos.audit import audit
from chaos.clients import Client, ask_for_all
from chaos.crew import Crew
from chaos.deployment import QUEUE, Deployment
from chaos.monkey import Monkey
from chaos.observations import Observations
from chaos.recovery import Recoveries
from chaos.trials import RERUNS
from chaos.verdict import Verdict
from reports.models import Status
from stack import preparation
from stack.process import wait_for
from stack.terminal import say

_CLIENTS = 4
_NEWS = 30.0  # seconds
_SETTLING = 180.0


def run(deployment: Deployment, *, seed: int, seconds: float) -> Verdict:
    """Run for ``seconds`` on a deployment whose servers are there, and return what came of it."""
    token = preparation.new_token("chaos")
    seen, recoveries = Observations(), Recoveries(deployment.watch)
    monkey = Monkey(deployment, recoveries)
    webs = [web.url for web in deployment.webs]
    clients = [Client(f"{seed}.{number}", webs, token, seen) for number in range(_CLIENTS)]
    deployment.start()
    with Crew() as keepers, Crew() as workers:
        for part in deployment.parts.values():
            keepers.add(part.keep)
        keepers.add(partial(observer.observe, seen, recoveries))
        workers.add(partial(monkey.work, strikes.plan(seed, seconds)))
        for client in clients:
            workers.add(client.work)
        _let_work(workers, seconds, seen, monkey)
        workers.end()
        _settle(deployment)
        seen_gone = list(ask_for_all(sorted(seen.accepted), webs[0], token, seen))
        keepers.end()
    deployment.stop()
    recoveries.finish(time.monotonic())
    seen.wrong += [f"lost: {root} was accepted, and its client does not get its report" for root in seen_gone]
    failed = [row for row in ledger.read(seen.accepted) if row.id == row.root and row.status == Status.FAILED]
    return Verdict(
        audit=audit(seen, witness.entries(), RERUNS),
        accepted=len(seen.accepted),
        unheard=sum(client.unheard for client in clients),
        errors=Counter(row.error_code for row in failed),
        deeds=monkey.done,
        ended_by_themselves=sum(part.ended_by_itself for part in deployment.parts.values()),
        recoveries=recoveries.done,
    )


def _let_work(workers: Crew, seconds: float, seen: Observations, monkey: Monkey) -> None:
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        workers.wait(min(_NEWS, seconds - passed))
        say(f"after {time.monotonic() - begun:.0f} s: {len(seen.accepted)} accepted, {monkey.kills} kills")


def _settle(deployment: Deployment) -> None:
    """Wait until everything is there again and at rest, without a message left; not for ever."""
    parts = deployment.parts.values()
    if not wait_for(lambda: all(part.is_ready for part in parts), _SETTLING):
        say("Not everything has come back: " + ", ".join(part.name for part in parts if not part.is_ready))
    elif not observer.settle(_SETTLING):
        say(f"Not everything has settled within {_SETTLING:g} s.")
    else:
        wait_for(lambda: not deployment.broker.count_messages(QUEUE), _SETTLING)
