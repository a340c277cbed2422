"""Imported by the process that all workers are forked from: everything they need, by going through what they do."""

from __future__ import annotations

import tempfile

from .processes import CATALOGUE
from .worker import Application


def warm_up() -> None:
    with tempfile.TemporaryDirectory() as home:
        application = Application({"home": home, "catalogue": str(CATALOGUE)})
        application.do({"do": "draft", "key": "warm-up"})
        digest = application.do({"do": "plan", "key": "warm-up", "change": "launch"})["digest"]
        application.do({"do": "apply", "digest": digest})
        application.close()


warm_up()
