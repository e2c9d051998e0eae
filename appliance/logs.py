"""Diagnostics on standard error: structured, event names in snake_case, values as fields.

Not the event log (that is `appliance.store`). Nothing personal and no secret is logged;
camera addresses pass through `redact` and through nothing else.
"""

import logging
import re
import sys
from urllib.parse import urlsplit, urlunsplit

import structlog

_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")


def configure(process: str, *, level: str = "info", json_lines: bool = False) -> None:
    """Set up logging once, at the start of a process.

    Args:
        process: Name of this process, on every line.
        level: Least severity shown: debug, info, warning, error.
        json_lines: One JSON object a line instead of words for people.
    """
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(process=process)


def redact(address: str) -> str:
    """An address without its user, password and query, fit to be shown.

    >>> redact("rtsp://admin:secret@10.0.0.5:554/main?token=1")
    'rtsp://10.0.0.5:554/main'
    """
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        if ":" in host:
            host = f"[{host}]"
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return _CREDENTIALS.sub("", address).partition("?")[0]
    return urlunsplit((parts.scheme, host + port, parts.path, "", ""))
