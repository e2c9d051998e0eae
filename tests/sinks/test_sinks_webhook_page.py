"""What WEBHOOKS.md shows receivers works; and what the settings of webhooks let through."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from appliance.settings import WebhookSettings
from appliance.sinks.webhook_signature import SIGNATURE, TIMESTAMP, signature

PAGE = Path(__file__).parents[2] / "appliance" / "sinks" / "WEBHOOKS.md"
NOW = 1_767_603_600


def is_ours() -> Callable[..., bool]:
    """The receiver's look at a request, as the page has it."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    there: dict[str, Any] = {}
    exec(code, there)  # noqa: S102 - the page's own example
    found: Callable[..., bool] = there["is_ours"]
    return found


def signed(secret: bytes, body: bytes, at: int = NOW) -> dict[str, str]:
    """Headers as the box sends them."""
    return {TIMESTAMP: str(at), SIGNATURE: signature(secret, at, body)}


@given(st.binary(min_size=1, max_size=80), st.binary(max_size=500))
def test_what_the_box_signs_the_page_takes(secret: bytes, body: bytes) -> None:
    """For every secret and every body."""
    assert is_ours()(secret, signed(secret, body), body, NOW)


@given(st.binary(max_size=100), st.binary(max_size=100), st.integers(-1000, 1000))
def test_the_page_takes_nothing_else(body: bytes, other: bytes, late_s: int) -> None:
    """Another body, another secret, another time, and what is older than five minutes."""
    look, headers = is_ours(), signed(b"the secret", body)

    assert (body == other) == look(b"the secret", headers, other, NOW)
    assert not look(b"another secret", headers, body, NOW)
    assert (late_s == 0) == look(b"the secret", {**headers, TIMESTAMP: str(NOW + late_s)}, body, NOW + late_s)
    assert (abs(late_s) <= 300) == look(b"the secret", headers, body, NOW + late_s)


@pytest.mark.parametrize("headers", [{}, {TIMESTAMP: "x"}, {TIMESTAMP: "²"}, {TIMESTAMP: "1" * 5000}])
def test_nonsense_is_not_taken_and_breaks_nothing(headers: dict[str, str]) -> None:
    """Whoever knocks."""
    assert not is_ours()(b"the secret", headers, b"{}", NOW)


GOOD = {"id": "chat", "url": "https://hooks.example.org/x?t=1", "secret": "of sixteen signs"}


def test_a_webhook_shows_neither_address_nor_secret() -> None:
    """Not in what is printed of its settings."""
    shown = repr(WebhookSettings.model_validate(GOOD))

    assert "hooks.example.org" not in shown
    assert "sixteen" not in shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://hooks.example.org/"},
        {"url": "ftp://hooks.example.org/"},
        {"url": "https:///path"},
        {"url": "https://user:pass@hooks.example.org/"},
        {"url": "https://hooks.example.org/#part"},
        {"url": "https://hooks.example.org/a b"},
        {"url": "https://hooks.example.org/\r\nX: y"},
        {"url": "https://hooks.example.org:0/"},
        {"url": "https://hooks.example.org:99999/"},
        {"url": "https://[::1/"},
        {"url": "https://bücher.example/"},
        {"url": "https://h/" + "x" * 2000},
        {"secret": "too short"},
        {"id": "Chat"},
    ],
)
def test_settings_that_cannot_be_are_refused_without_repeating_them(wrong: dict[str, str]) -> None:
    """The address may hold a token, so no message has it."""
    with pytest.raises(ValidationError) as found:
        WebhookSettings.model_validate({**GOOD, **wrong})
    told = [each["msg"] for each in found.value.errors(include_input=False, include_context=False)]

    assert 1 == len(told)
    assert not any(value in told[0] for key, value in wrong.items() if key != "id")


def test_plain_http_and_odd_hosts_are_taken_with_leave() -> None:
    """Within one's own network."""
    given_ = {**GOOD, "url": "http://[fd00::5]:8123/api/webhook/x", "allow_private": True}

    assert WebhookSettings.model_validate(given_).allow_private
