"""Carries out the strikes of a plan."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from threading import Event
from uuid import UUID

from django.db import Error, connection

from chaos import ledger
from chaos.deployment import Deployment
from chaos.ledger import Mark
from chaos.parts import Part
from chaos.recovery import Recoveries
from chaos.strikes import KILLS, Deed, Strike
from stack.process import Service

Hits = Callable[[Mark], bool]


class Monkey:
    """Strikes the parts of a deployment. ``done`` counts what has hit something, by deed."""

    def __init__(self, deployment: Deployment, recoveries: Recoveries) -> None:
        self.done: Counter[Deed] = Counter()
        self._deployment = deployment
        self._recoveries = recoveries
        self._deeds: dict[Deed, Callable[[Strike], bool]] = {
            Deed.CHILD: self._kill_child,
            Deed.WORKER: self._kill_worker,
            Deed.WEB: self._kill_web,
            Deed.BROKER: self._kill_broker,
            Deed.DATABASE: self._kill_database,
            Deed.CONNECTION: self._cut_connection,
            Deed.CONNECTIONS: self._cut_connections,
            Deed.FREEZE: self._freeze_worker,
            Deed.WIPE: self._wipe_broker,
        }

    @property
    def kills(self) -> int:
        """How much was killed."""
        return sum(number for deed, number in self.done.items() if deed in KILLS)

    def work(self, strikes: Iterable[Strike], stop: Event) -> None:
        """Carry out one strike after the other, at its time, until told to stop."""
        begun = time.monotonic()
        try:
            for strike in strikes:
                if stop.wait(max(0.0, begun + strike.at - time.monotonic())):
                    return
                self.done[strike.deed] += self._deeds[strike.deed](strike)
        finally:
            connection.close()

    def _kill_child(self, strike: Strike) -> bool:
        children = [
            child
            for worker in self._deployment.workers
            if self._part(worker).is_there
            for child in self._deployment.children_of(worker)
        ]
        if not children:
            return False
        child = children[strike.number % len(children)]
        return self._hurt(strike, lambda: _end(child), lambda mark: f":{child}-" in mark.worker)

    def _kill_worker(self, strike: Strike) -> bool:
        worker = self._choose(strike, self._deployment.workers)
        return self._hurt(strike, lambda: worker.kill(strike.for_seconds), _in_hands_of(worker))

    def _kill_web(self, strike: Strike) -> bool:
        web = self._choose(strike, self._deployment.webs)
        return self._hurt(strike, lambda: web.kill(strike.for_seconds), _nothing)

    def _kill_broker(self, strike: Strike) -> bool:
        broker = self._part(self._deployment.broker)
        return self._hurt(strike, lambda: broker.kill(strike.for_seconds), _nothing)

    def _kill_database(self, strike: Strike) -> bool:
        database = self._part(self._deployment.postgres)
        return self._hurt(strike, lambda: database.kill(strike.for_seconds), _everything, heals_by_heartbeat=True)

    def _cut_connection(self, strike: Strike) -> bool:
        cut = partial(self._deployment.cut_connection, strike.number)
        return self._hurt(strike, cut, _everything, heals_by_heartbeat=True)

    def _cut_connections(self, strike: Strike) -> bool:
        return self._hurt(strike, self._deployment.cut_connections, _everything, heals_by_heartbeat=True)

    def _freeze_worker(self, strike: Strike) -> bool:
        return self._choose(strike, self._deployment.workers).freeze(strike.for_seconds)

    def _wipe_broker(self, strike: Strike) -> bool:
        return self._hurt(strike, self._deployment.wipe_broker, _nothing)

    def _hurt(self, strike: Strike, do: Callable[[], bool], hits: Hits, *, heals_by_heartbeat: bool = False) -> bool:
        """Do it, and have its recovery observed. Returns whether it has hit something."""
        at, under_way = time.monotonic(), self._under_way()
        if not do():
            return False
        self._recoveries.begin(strike.deed, at, under_way, hits=hits, heals_by_heartbeat=heals_by_heartbeat)
        return True

    def _under_way(self) -> dict[UUID, Mark]:
        try:
            return ledger.under_way()
        except Error:
            connection.close()
            return self._recoveries.latest

    def _choose(self, strike: Strike, services: Sequence[Service]) -> Part:
        parts = [part for service in services if (part := self._part(service)).is_there]
        return parts[strike.number % len(parts)] if parts else self._part(services[0])

    def _part(self, service: Service) -> Part:
        return self._deployment.parts[service]


def _end(process: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
        return True
    return False


def _in_hands_of(worker: Part) -> Hits:
    return lambda mark: mark.worker.startswith(f"{worker.name}@")


def _nothing(mark: Mark) -> bool:
    del mark
    return False


def _everything(mark: Mark) -> bool:
    del mark
    return True
