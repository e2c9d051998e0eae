"""Diagnostics on standard error: structured, event names in snake_case, values as fields.

Not the event log (that is `appliance.store`). Nothing personal and no secret is logged;
camera addresses pass through `redact` and through nothing else.
"""

import logging
import re
import sys

import structlog

_BEHIND_AUTHORITY = re.compile(r"[/?#\\]")
_HOST_AND_PORT = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.%\w]+\])(:\d{1,5})?")


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
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # whatever it is by then
    )
    structlog.contextvars.bind_contextvars(process=process)


def redact(address: str) -> str:
    """Scheme, host and port of an address: all of it that is fit to be shown.

    Cameras take their password in the user part, in the path or in the query. Where an unquoted `/`,
    `?` or `#` before an `@` leaves open what is host and what is password, the host is not shown either.

    >>> redact("rtsp://admin:secret@10.0.0.5:554/user=admin_password=secret_channel=1?token=1")
    'rtsp://10.0.0.5:554'
    >>> redact("rtsp://admin:pa/ss@10.0.0.5/main")
    'rtsp://…'
    """
    scheme, sign, rest = address.partition("://")
    if not sign:
        return address
    authority = _BEHIND_AUTHORITY.split(rest, maxsplit=1)[0]
    host = authority.rpartition("@")[2]
    if "@" in rest[len(authority) :] or not _HOST_AND_PORT.fullmatch(host):
        host = "…"
    return f"{scheme}://{host}"
