"""The hosts a function was granted, and whether what it asks for is among them.

Pure but for the look-up of names and for which addresses are this machine's, which are handed in. A name is
looked up once, every address it has is judged, and whoever connects uses what was judged.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from appliance.addresses import refusal
from appliance.deeplens.own_addresses import is_ours
from appliance.errors import FunctionError, NotGrantedError

Resolve = Callable[..., Sequence[tuple[Any, ...]]]
"""`socket.getaddrinfo`, or what stands in for it."""

_USUAL_PORT: Final = 443
_WRITTEN: Final = re.compile(r"(?:\[(?P<six>[^\]]*)\]|(?P<name>[^:\[\]]+))(?::(?P<port>\d{1,5}))?")
_MOST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Host:
    """A host and a port, as they are compared.

    Attributes:
        name: Lower case, without the last dot; an address as it is written usually.
        port: 1 to 65535.
    """

    name: str
    port: int

    def __str__(self) -> str:
        """As it is written: `example.com:443`, `[::1]:443`."""
        return f"[{self.name}]:{self.port}" if ":" in self.name else f"{self.name}:{self.port}"

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The address, if it is one and no name."""
        try:
            return ipaddress.ip_address(self.name)
        except ValueError:
            return None

    @property
    def is_own(self) -> bool:
        """Whether it names an address itself, so that whoever granted it knew where it leads."""
        return self.address is not None or self.name == "localhost"


def read_host(text: str, *, port: int = _USUAL_PORT) -> Host:
    """Read `example.com`, `example.com:8443`, `192.0.2.7:9000` or `[2001:db8::1]:443`.

    Args:
        text: From a grant, or from a function.
        port: Where none is written.

    Raises:
        FunctionError: It is none of these.
    """
    found = _WRITTEN.fullmatch(text)
    given = port if found is None or found["port"] is None else int(found["port"])
    if found is None or not 0 < given <= _MOST_PORT:
        raise FunctionError("that is no host", hint="write a host as example.com or example.com:8443")
    name = (found["six"] or found["name"] or "").lower().rstrip(".")
    try:
        name = str(ipaddress.ip_address(name))
    except ValueError as error:
        if found["six"] is not None or not name:
            raise FunctionError("that is no host", hint="write an IPv6 address as [2001:db8::1]") from error
    return Host(name, given)


class Grants:
    """What one function was granted.

    Args:
        written: Hosts as `read_host` reads them; one that begins with a dot stands for all below it.

    Raises:
        FunctionError: One is no host.
    """

    def __init__(self, written: Sequence[str]) -> None:
        self._hosts = tuple(read_host(each) for each in written)

    def cover(self, host: Host) -> bool:
        """Whether a host was granted, by its name and its port."""
        return any(
            each.port == host.port
            and (each.name == host.name or (each.name.startswith(".") and host.name.endswith(each.name)))
            for each in self._hosts
        )

    def addresses(
        self,
        host: Host,
        resolve: Resolve = socket.getaddrinfo,
        ours: Callable[[str], bool] = is_ours,
    ) -> tuple[str, ...]:
        """The addresses to connect to for a host, each of them judged.

        Args:
            host: What the function asked for.
            resolve: Looks names up.
            ours: Whether an address is this machine's own, public ones included.

        Raises:
            NotGrantedError: It was not granted; or it is a name that leads to this machine or a private
                network, which only the address itself can grant.
            FunctionError: It cannot be looked up, or not be judged.
        """
        if not self.cover(host):
            raise NotGrantedError(f"{host} is not granted to this function")
        try:
            found = resolve(host.name, host.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise FunctionError(f"{host} cannot be looked up") from error
        told = tuple(dict.fromkeys(str(each[4][0]) for each in found))
        for each in told:
            address = each.partition("%")[0]
            words = refusal(ipaddress.ip_address(address), allow_private=host.is_own)
            if words is None and not host.is_own and ours(address):
                words = "an address of this machine"
            if words is not None:
                raise NotGrantedError(
                    f"{host} is {words}", hint="to let a function reach it, grant the address itself"
                )
        if not told:
            raise FunctionError(f"{host} has no address")
        return told
