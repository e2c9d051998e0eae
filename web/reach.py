"""Where links lead that are opened on another machine: a screen's, a new operator's.

Says under which address this machine is reached, and when it is reached from nowhere else. What is listened
to is a setting of the file, and none of these pages changes it.
"""

import ipaddress
import socket
from dataclasses import dataclass
from typing import Final

from flask import request

from web.requests import own_name, without_port
from web.surroundings import surroundings

_ELSEWHERE: Final = ("192.0.2.1", 9)
"""An address that is nobody's: asked which of our own we would use for it, the system sends nothing."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a link for another machine begins.

    Attributes:
        base: Scheme, host and port.
        only_here: It can be opened on this machine alone.
        guessed: The address is what this machine takes for its own; whoever looks came by another.
        lines: Of the settings file, with which it could be opened elsewhere; empty: it can.
    """

    base: str
    only_here: bool = False
    guessed: bool = False
    lines: str = ""


def reach() -> Reach:
    """For the request that is being answered."""
    around = surroundings()
    came_by = without_port(request.host)
    if not is_loopback(came_by):
        return Reach(f"https://{request.host}")
    if is_loopback(around.host) and not around.proxied:
        lines = f'[web]\nhost = "0.0.0.0"\nnames = ["{own_name()}"]'
        return Reach(f"https://{request.host}", only_here=True, lines=lines)
    other = next((name for name in around.names if not is_loopback(name)), "")
    found = other or own_address(around.host)
    if not found:
        return Reach(f"https://{request.host}", only_here=True, lines=f'[web]\nnames = ["{own_name()}"]')
    # A proxy has a port of its own, which nobody here knows.
    port = "" if around.proxied else request.host.removeprefix(_bracketed(came_by))
    return Reach(f"https://{_bracketed(found)}{port}", guessed=not other)


def is_loopback(host: str) -> bool:
    """Whether a host, a name or an address, is this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def own_address(listened: str) -> str:
    """An address of this machine that others may reach; empty: there is none.

    Args:
        listened: What is listened at; where that is one address, it is the one.
    """
    try:
        address = ipaddress.ip_address(listened)
    except ValueError:
        return listened
    if not address.is_unspecified:
        return listened
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(_ELSEWHERE)
        except OSError:
            return ""
        found = str(asked.getsockname()[0])
    return "" if is_loopback(found) or ipaddress.ip_address(found).is_unspecified else found


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
