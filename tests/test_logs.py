"""What is logged of a camera's address: nothing that opens the camera."""

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import logs
from appliance.logs import redact

UNQUOTED = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://10.0.0.5:554/main?token=1", "rtsp://10.0.0.5:554"),
        ("rtsp://admin:secret@10.0.0.5:554/main", "rtsp://10.0.0.5:554"),
        ("rtsp://admin:se@cret@camera.lan/main", "rtsp://camera.lan"),
        ("rtsp://h/user=admin_password=secret_channel=1_stream=0.sdp", "rtsp://h"),
        ("rtsp://[fe80::1]:554/secret", "rtsp://[fe80::1]:554"),
        ("rtsp://admin:se/cret@h/main", "rtsp://…"),
        ("rtsp://admin:12/secret@h/main", "rtsp://…"),
        ("rtsp://h/main?password=se@cret", "rtsp://…"),
        ("rtsp://admin:secret", "rtsp://…"),
        ("http://h:port/x", "http://…"),
        ("rtsp://", "rtsp://…"),
        ("scene:door", "scene:door"),
        ("/dev/video0", "/dev/video0"),
    ],
)
def test_only_scheme_host_and_port_are_shown(address: str, shown: str) -> None:
    """Wherever the password is; and no host where it cannot be told from one."""
    assert shown == redact(address)


@given(user=UNQUOTED, password=UNQUOTED, path=UNQUOTED)
def test_no_password_is_shown_however_it_is_written(user: str, password: str, path: str) -> None:
    """Unquoted, with any character in it: only the host is ever shown, or nothing."""
    shown = redact(f"rtsp://{user}:{password}@10.0.0.5:554/{path}")

    assert shown in {"rtsp://10.0.0.5:554", "rtsp://…"}


def test_the_examples_are_true() -> None:
    """Those in the docstrings."""
    assert 0 == doctest.testmod(logs).failed
