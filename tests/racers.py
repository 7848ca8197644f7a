"""Two processes of the application, many threads each, over one file: a served clinic without its HTTP."""

import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from flask import Flask

from config import Config
from cpms import create_app
from cpms.core.errors import Busy

PROCESSES = 2
PATIENCE = 120  # seconds; a race that takes longer hangs

Job = Callable[..., Any]  # called as job(racer, **arguments) in an application context, in each thread


@dataclass
class Outcome:
    """How often each thing happened, and how long each thread's calls took."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: dict[int, list[float]] = field(default_factory=dict)


class Racers:
    def __init__(self, pipes: list["Connection[Any, Any]"]) -> None:
        self._pipes = pipes

    def run(self, job: Job, *, threads: int, times: int = 1, **arguments: Any) -> Outcome:
        """`threads` in all, spread over the processes, start at one moment and call the job so many times."""
        each = threads // len(self._pipes)
        for index, pipe in enumerate(self._pipes):
            pipe.send((job, index * each, each, times, arguments))
        whole = Outcome()
        for pipe in self._pipes:
            assert pipe.poll(PATIENCE), "the race hangs"
            part = pipe.recv()
            whole.counts += part.counts
            whole.seconds |= part.seconds
        return whole


@contextmanager
def racers(folder: Path) -> Iterator[Racers]:
    """Started afresh, not forked: a database connection must not be inherited."""
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(PROCESSES)
    pairs = [spawn.Pipe() for _ in range(PROCESSES)]
    processes = [spawn.Process(target=_serve, args=(folder, theirs, ready), daemon=True) for _, theirs in pairs]
    for process in processes:
        process.start()
    try:
        yield Racers([ours for ours, _ in pairs])
    finally:
        for (ours, theirs), process in zip(pairs, processes, strict=True):
            ours.send(None)
            process.join(timeout=60)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()
            ours.close()
            theirs.close()


def _serve(folder: Path, pipe: "Connection[Any, Any]", ready: Any) -> None:
    app = create_app(Config.from_env({"CPMS_INSTANCE": str(folder)}), TESTING=False)
    while order := pipe.recv():
        pipe.send(_race(app, ready, *order))


def _patiently(job: Job, racer: int, **arguments: Any) -> Any:
    """Told that the server is busy and nothing was saved, as on a machine that is busy with other things: again."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return job(racer, **arguments)
        except Busy:
            if time.monotonic() > until:
                raise


def _race(app: Flask, ready: Any, job: Job, first: int, threads: int, times: int, arguments: dict[str, Any]) -> Outcome:
    outcome, lock = Outcome(), threading.Lock()
    start = threading.Barrier(threads, action=lambda: ready.wait(PATIENCE))

    def run(racer: int) -> None:
        happened, took = [], []
        with app.app_context():
            start.wait(PATIENCE)
            for _ in range(times):
                begun = time.perf_counter()
                try:
                    happened.append(str(_patiently(job, racer, **arguments)))
                except Exception as error:  # noqa: BLE001 - whatever it is, it is what happened
                    happened.append(type(error).__name__)
                took.append(time.perf_counter() - begun)
        with lock:
            outcome.counts.update(happened)
            outcome.seconds[racer] = took

    crew = [threading.Thread(target=run, args=(first + n,)) for n in range(threads)]
    for thread in crew:
        thread.start()
    for thread in crew:
        thread.join()
    return outcome
