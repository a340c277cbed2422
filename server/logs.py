"""Logs: one JSON line an event, to stderr, never to stdout, which belongs to MCP."""

from __future__ import annotations

import logging
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

_level = "warning"


def configure_logs(level: str) -> None:
    """Events below `level` are dropped from now on."""
    global _level
    _level = level
    logger.cache_clear()


@cache
def logger() -> FilteringBoundLogger:
    """The logger, made on its first event: importing structlog would delay every start, and most runs log nothing."""
    import structlog

    number = logging.getLevelNamesMapping().get(_level.upper(), logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    return structlog.get_logger()
