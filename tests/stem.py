"""Servers that start at once, for tests that start a hundred: everything is imported here, and each is a fork of it.

`python -m tests.stem` reads orders, one line of JSON each: the variables and the log of a server. It answers with the
server's process id, and when that has ended with its exit code. A fork has opened nothing before: from the settings on
it does all that `gunicorn wsgi:app` does.
"""

import json
import os
import sys
from pathlib import Path

from gunicorn.app.wsgiapp import run

from cpms import cli, create_app, scheduler  # noqa: F401 - what wsgi.py imports; that itself runs in each fork anew


def serve(order: dict[str, object]) -> None:
    os.setsid()  # so that a kill of its group reaches its workers and nobody else
    sink = os.open(str(order["log"]), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in ((nothing, 0), (sink, 1), (sink, 2)):
        os.dup2(ours, theirs)
    os.environ.clear()
    os.environ.update(order["variables"])  # type: ignore[arg-type]
    sys.argv = ["gunicorn", "wsgi:app"]
    run()


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            serve(json.loads(line))
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        _pid, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[1])
    main()
