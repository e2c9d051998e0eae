"""Which addresses webhooks may go to: properties of all of them, and those that are known to be tried."""

import ipaddress
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import ActionError
from appliance.sinks.webhook_address import checked, refusal

V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)
PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10"]
WRAPPERS = {
    "mapped": "::ffff:{}",
    "translated": "::ffff:0:{}",
    "compatible": "::{}",
    "NAT64": "64:ff9b::{}",
    "NAT64 of a network's own": "64:ff9b:1::{}",
}


def open_to_all(address: Any) -> bool:
    """Whether an address may be posted to without leave."""
    return refusal(address, allow_private=False) is None


def wrapped(form: str, inner: ipaddress.IPv4Address) -> ipaddress.IPv6Address:
    """An IPv4 address inside an IPv6 one."""
    if form == "6to4":
        return ipaddress.IPv6Address((0x2002 << 112) | (int(inner) << 80))
    return ipaddress.IPv6Address(WRAPPERS[form].format(inner))


@given(st.one_of(V4, V6))
def test_what_is_let_through_is_of_the_open_internet(address: Any) -> None:
    """Whatever address: one that Python does not call global is never posted to without leave."""
    if open_to_all(address):
        said = [address.is_private, address.is_loopback, address.is_link_local, address.is_multicast]
        assert [True, False, False, False, False] == [address.is_global, *said]
        assert [False, False] == [address.is_reserved, address.is_unspecified]


@given(st.sampled_from(PRIVATE).flatmap(lambda each: st.ip_addresses(network=each)))
def test_private_networks_need_leave(address: ipaddress.IPv4Address) -> None:
    """Refused without, taken with."""
    assert not open_to_all(address)
    assert refusal(address, allow_private=True) is None


@given(st.sampled_from([*WRAPPERS, "6to4"]), V4)
def test_no_ipv4_address_hides_in_an_ipv6_one(form: str, inner: ipaddress.IPv4Address) -> None:
    """In whatever form: refused, whichever address it hides; with leave it is judged by what it hides."""
    address = wrapped(form, inner)

    assert not open_to_all(address)
    if refusal(inner, allow_private=True) is not None and address not in ipaddress.ip_network("::/127"):
        assert refusal(address, allow_private=True) is not None


@given(st.one_of(st.ip_addresses(network="224.0.0.0/4"), st.ip_addresses(network="ff00::/8")))
def test_several_at_once_are_never_posted_to(address: Any) -> None:
    """Not even with leave for private ones."""
    assert refusal(address, allow_private=True) is not None


@pytest.mark.parametrize(
    "text",
    [
        "0.0.0.0",  # noqa: S104 - nothing listens there
        *("127.0.0.1", "127.1.2.3", "10.1.2.3", "169.254.169.254", "100.64.0.1", "192.168.1.1"),
        *("172.31.255.255", "198.18.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "240.0.0.1"),
        *("::", "::1", "fe80::1", "fd00::1", "fec0::1", "ff02::1", "2001:db8::1", "2001::1", "100::1"),
        *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1"),
        *("4000::1", "5f00::1", "3fff::1"),
    ],
)
def test_what_is_known_to_be_tried_is_refused(text: str) -> None:
    """Each kind of address by which somebody got into a network by way of a server."""
    assert refusal(ipaddress.ip_address(text), allow_private=False) is not None


@pytest.mark.parametrize("text", ["8.8.8.8", "93.184.216.34", "1.1.1.1", "2606:4700::1111", "2a00:1450::1"])
def test_servers_of_the_open_internet_are_let_through(text: str) -> None:
    """Else there would be no webhooks."""
    assert refusal(ipaddress.ip_address(text), allow_private=False) is None


def resolving(*addresses: str) -> Any:
    """A look-up that answers these, as the system's does."""

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        families = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            (families[ipaddress.ip_address(each.partition("%")[0]).version], 1, 6, "", (each, port))
            for each in addresses
        ]

    return resolve


@given(st.lists(st.sampled_from(["8.8.8.8", "1.1.1.1", "2606:4700::1111"]), max_size=3), st.integers(0, 3))
def test_one_private_address_among_public_ones_is_enough(public: list[str], place: int) -> None:
    """A name that mixes them is refused as a whole, and for good."""
    found = [*public[:place], "10.0.0.1", *public[place:]]
    with pytest.raises(ActionError) as refused:
        checked("hooks.example.org", 443, allow_private=False, resolve=resolving(*found))

    assert refused.value.permanent


def test_the_addresses_come_back_as_they_were_judged() -> None:
    """Each once, in the order of the look-up."""
    found = checked(
        "hooks.example.org", 443, allow_private=False, resolve=resolving("8.8.8.8", "1.1.1.1", "8.8.8.8")
    )

    assert ("8.8.8.8", "1.1.1.1") == found


def test_a_zone_does_not_hide_an_address() -> None:
    """`fe80::1%eth0` is of this network, whatever its zone is called."""
    with pytest.raises(ActionError, match="private network"):
        checked("hooks.example.org", 443, allow_private=False, resolve=resolving("fe80::1%eth0"))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost"]
)
def test_this_machine_is_itself_however_it_is_written(host: str) -> None:
    """The system's own look-up says what an odd number means, and that is judged."""
    with pytest.raises(ActionError) as refused:
        checked(host, 443, allow_private=False)

    assert refused.value.permanent


@pytest.mark.parametrize("error", [socket.gaierror(-3, "try again"), UnicodeError("label too long")])
def test_a_name_that_cannot_be_looked_up_is_tried_again(error: Exception) -> None:
    """The network may be back later."""

    def resolve(*_: Any, **__: Any) -> Any:
        raise error

    with pytest.raises(ActionError) as found:
        checked("hooks.example.org", 443, allow_private=False, resolve=resolve)
    with pytest.raises(ActionError) as empty:
        checked("hooks.example.org", 443, allow_private=False, resolve=resolving())

    assert not found.value.permanent
    assert not empty.value.permanent
