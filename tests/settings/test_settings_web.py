"""The room of the pages: what goes together and what does not."""

from typing import Any

import pytest

from appliance.errors import SettingsError
from appliance.settings import Settings, parse


def test_without_a_word_the_pages_are_for_this_machine_alone() -> None:
    """Served, over TLS with a certificate of the box's own, and reached from nowhere else."""
    web = Settings().web

    assert (True, "127.0.0.1", 8443, "self-signed") == (web.enabled, web.host, web.port, web.tls)


@pytest.mark.parametrize(
    "text",
    [
        'tls = "files"\ncertificate = "door.pem"\nprivate_key = "door.key"',
        'tls = "proxy"\ntrusted_proxies = ["127.0.0.1", "10.0.0.0/8", "::1"]',
        'host = "0.0.0.0"\nport = 443\nnames = ["door.example.org", "10.0.0.5", "fe80::1"]',
        "port = 0",
        "enabled = false",
    ],
)
def test_what_goes_together(text: str) -> None:
    """Comes back as it was written, by way of JSON too: the web process is handed its part so."""
    settings = parse(f"[web]\n{text}\n")

    assert settings == Settings.model_validate_json(settings.model_dump_json(include={"web"}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('tls = "files"', "certificate and private_key"),
        ('tls = "files"\ncertificate = "door.pem"', "certificate and private_key"),
        ('certificate = "door.pem"\nprivate_key = "door.key"', "certificate and private_key"),
        ('tls = "proxy"', "trusted_proxies"),
        ('trusted_proxies = ["127.0.0.1"]', "trusted_proxies"),
        ('tls = "none"', "tls"),
        ("port = 65536", "port"),
        ('host = ""', "host"),
        ('names = ["door/example"]', "names"),
        ('tls = "proxy"\ntrusted_proxies = ["everybody"]', "trusted_proxies"),
    ],
)
def test_what_does_not_go_together_is_said(text: str, words: str) -> None:
    """Plain HTTP is there for a named proxy only, and a certificate is used or not given."""
    with pytest.raises(SettingsError) as caught:
        parse(f"[web]\n{text}\n")

    assert words in caught.value.message


@pytest.mark.parametrize(
    "key", ["host", "port", "names", "tls", "certificate", "private_key", "trusted_proxies"]
)
def test_a_change_restarts_the_pages_and_nothing_else(key: str) -> None:
    """The loop is not stopped for them."""
    extra: Any = type(Settings().web).model_fields[key].json_schema_extra

    assert {"scope": "web"} == extra
