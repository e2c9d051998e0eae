"""Addresses of clients: what counts as one household, and what a proxy wrote down."""

from ipaddress import IPv6Address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from appliance.addresses import network_of, written

_FOUR = st.ip_addresses(v=4).map(str)
_SIX = st.ip_addresses(v=6).filter(lambda each: each.ipv4_mapped is None).map(str)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("198.51.100.7", "198.51.100.7"),
        (" 198.51.100.7:50123", "198.51.100.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("[::ffff:198.51.100.7]:443", "198.51.100.7"),
        ("fe80::1%eth0", "fe80::1"),
        ("unknown", ""),
        ("_hidden:80", ""),
        ("198.51.100.7:port", ""),
        ("[198.51.100.7", ""),
        ("", ""),
    ],
)
def test_what_a_proxy_wrote(text: str, address: str) -> None:
    """Ports and brackets are taken off; what is no address is none."""
    assert address == written(text)


@given(_FOUR, st.integers(0, 65535))
def test_a_port_changes_nothing_of_ipv4(address: str, port: int) -> None:
    """With a port or without, it is the same client."""
    assert address == written(f"{address}:{port}") == written(address)


@given(_SIX, st.integers(0, 65535))
def test_a_port_changes_nothing_of_ipv6(address: str, port: int) -> None:
    """In brackets with a port, in brackets, or bare."""
    assert address == written(f"[{address}]:{port}") == written(f"[{address}]") == written(address)


@given(st.text(max_size=60))
def test_what_is_written_is_an_address_or_nothing(text: str) -> None:
    """Whatever stands in the header, what is made of it counts as somebody, or is empty."""
    found = written(text)

    assert not found or network_of(found)


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_a_household_of_ipv6_is_one(address: IPv6Address, host: int) -> None:
    """Whichever of its 2^64 addresses it takes; its neighbour's are another's."""
    sibling = IPv6Address(int(address) >> 64 << 64 | host)
    neighbour = IPv6Address(int(address) ^ 1 << 64)
    assume(address.ipv4_mapped is None and sibling.ipv4_mapped is None and neighbour.ipv4_mapped is None)

    assert network_of(str(address)) == network_of(str(sibling)) != network_of(str(neighbour))
