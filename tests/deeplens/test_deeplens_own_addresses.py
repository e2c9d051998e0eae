"""A granted name never leads to this box itself, whichever of its addresses it has."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from appliance.deeplens.grants import Grants, read_host
from appliance.deeplens.own_addresses import is_ours
from appliance.errors import NotGrantedError

PUBLIC = ("93.184.215.14", "2606:2800:21f:cb07::1")
"""Addresses of the internet, of no box that tests run on."""
IN_A_NETWORK = """
import fcntl, json, socket, struct, sys, tempfile, threading
from pathlib import Path
from appliance.deeplens.grants import Grants
from appliance.deeplens.proxy import GrantProxy

four, six = sys.argv[1:]
with socket.socket() as asking:
    address = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(four))
    fcntl.ioctl(asking, 0x8916, struct.pack("16s16s", b"lo:1", address))
with socket.socket(socket.AF_INET6) as asking:
    address = socket.inet_pton(socket.AF_INET6, six)
    fcntl.ioctl(asking, 0x8916, struct.pack("16sIi", address, 128, socket.if_nametoindex("lo")))

def answer(listening, reached):
    while True:
        listening.accept()[0].close()
        reached.append(1)

def talk(address, host, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    def resolve(name, port, **more):
        return [(family, socket.SOCK_STREAM, 6, "", (address, port))]
    with tempfile.TemporaryDirectory() as folder:
        proxy = GrantProxy(Path(folder, "way"), Grants([f"{host}:{port}"]), told=print, resolve=resolve)
        proxy.open()
        with socket.socket(socket.AF_UNIX) as asking:
            asking.connect(str(proxy.path))
            asking.sendall(f"CONNECT {host}:{port} HTTP/1.1\\r\\n\\r\\n".encode())
            status = int(asking.recv(4096).split()[1])
        proxy.close()
    return status

found = {}
sys.stdout = sys.stderr
for address in (four, six):
    reached = []
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.create_server((address, 0), family=family)
    threading.Thread(target=answer, args=(listening, reached), daemon=True).start()
    port = listening.getsockname()[1]
    by_name = talk(address, "elsewhere.example", port)
    before = len(reached)
    literally = talk(address, f"[{address}]" if ":" in address else address, port)
    found[address] = [by_name, before, literally]
print(json.dumps(found), file=sys.__stdout__)
"""
"""Gives a network of its own these addresses, and says what a proxy there answers by name, how many
connections came of that, and what it answers to who was granted the address."""


def _to(*addresses: str) -> Any:
    """A look-up that answers with these addresses, whatever it is asked."""

    def resolve(host: str, port: int, **more: object) -> Sequence[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]

    return resolve


@pytest.mark.parametrize("address", ["127.0.0.1", "127.77.1.2", "::ffff:127.0.0.1"])
def test_what_an_interface_has_is_ours(address: str) -> None:
    """Not the usual address alone: every one that is answered at, however it is written."""
    assert is_ours(address)


@pytest.mark.parametrize("address", [*PUBLIC, "::ffff:93.184.215.14"])
def test_what_no_interface_has_is_not_ours(address: str) -> None:
    """Of either kind, whether or not there is a way there."""
    assert not is_ours(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_name_that_leads_to_a_public_address_of_this_box_is_refused(address: str) -> None:
    """Even beside another; one that leads elsewhere is not, nor is the address to who was granted it."""
    elsewhere = "1.1.1.1"
    grants = Grants(["example.com", f"[{address}]" if ":" in address else address])
    for each in ((address,), (elsewhere, address)):
        with pytest.raises(NotGrantedError, match="an address of this machine"):
            grants.addresses(read_host("example.com"), _to(*each), address.__eq__)
    itself = read_host(f"[{address}]" if ":" in address else address)

    assert (elsewhere,) == grants.addresses(read_host("example.com"), _to(elsewhere), address.__eq__)
    assert (address,) == grants.addresses(itself, _to(address), address.__eq__)


@pytest.mark.debian(reason="bubblewrap")
def test_a_proxy_connects_to_no_public_address_of_its_own_box_by_name() -> None:
    """On a box that has them, IPv4 and IPv6: refused before it is connected; granted literally, reached."""
    own_world = [] if os.geteuid() == 0 else ["--unshare-user", "--uid", "0"]
    view = ["bwrap", *own_world, "--unshare-net", "--cap-add", "CAP_NET_ADMIN", "--dev-bind", "/", "/"]
    done = subprocess.run(
        [*view, sys.executable, "-c", IN_A_NETWORK, *PUBLIC], capture_output=True, text=True, check=False
    )

    assert 0 == done.returncode, done.stderr
    assert {address: [403, 0, 200] for address in PUBLIC} == json.loads(done.stdout)
