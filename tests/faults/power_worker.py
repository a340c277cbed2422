"""The application as a program, which tells in the log of `power_record.c` what its callers know when they know it.

Its argument is JSON: the orders of `worker.py`, and `name`, `lives` (experiments, each taken through its life) and
`log`."""

from __future__ import annotations

import fcntl
import json
import os
import struct
import sys
from typing import Any

from .worker import Application

LIFE = ("launch", "pause", "resume", "stop")


class Told:
    """What callers know: records with the op A, whose data is JSON."""

    def __init__(self, log: str) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND)

    def __call__(self, **what: Any) -> None:
        data = json.dumps(what).encode()
        fcntl.flock(self._log, fcntl.LOCK_EX)
        os.write(self._log, struct.pack("<cQqII", b"A", 0, 0, 0, len(data)) + data)
        fcntl.flock(self._log, fcntl.LOCK_UN)


def main() -> None:
    orders: dict[str, Any] = json.loads(sys.argv[1])
    told = Told(orders["log"])
    for number in range(orders["lives"]):
        # Who closes the store last writes its log into the database and removes it.
        application = Application(orders)
        key = f"powered-{orders['name']}-{number}"
        application.do({"do": "draft", "key": key})
        told(drafted=key)
        for change in LIFE if number % 2 == 0 else LIFE[:2]:
            told(answer=_changed(application, told, key, change))
        if number % 2:
            told(stopped=application.do({"do": "stop", "key": key}))
        application.close()


def _changed(application: Application, told: Told, key: str, change: str) -> dict[str, Any]:
    """The answer to an apply; a plan that the other process made stale is made anew."""
    while True:
        digest = application.do({"do": "plan", "key": key, "change": change})["digest"]
        told(asked=digest, key=key)
        answer = application.answer({"do": "apply", "digest": digest})
        if "value" in answer:
            return {**answer["value"], "digest": digest}
        assert answer["error"]["code"] == "stale_plan", answer


if __name__ == "__main__":
    main()
