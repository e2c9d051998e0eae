"""The settings of webhooks: addresses that events are posted to, each with its own secret.

An address may carry a token, so it is as secret as the key that requests are signed with. Neither is shown.
"""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator, model_validator

from appliance.settings.room import Identifier, Room, field

_SCOPE = "dispatch"
_LEAST_SECRET = 16
_MOST_URL = 2000


class WebhookSettings(Room):
    """An address that rules may post events to."""

    id: Identifier = field(..., "Name of the webhook in rules.", scope=_SCOPE)
    url: SecretStr = field(
        ...,
        "Where events are posted to: https://…, or http://… with allow_private. May carry a token and is "
        "therefore never shown.",
        scope=_SCOPE,
    )
    secret: SecretStr = field(
        ..., "What requests are signed with, 16 characters at least; never shown.", scope=_SCOPE
    )
    timeout_s: float = field(
        10.0, "Seconds that a request may take, answer included.", scope=_SCOPE, ge=1, le=60
    )
    attempts: int = field(
        100,
        "Tries before it goes to the dead letters; with the pauses between them 100 last about an hour and "
        "a half.",
        scope=_SCOPE,
        ge=1,
        le=10_000,
    )
    allow_private: bool = field(
        default=False,
        description="Whether the address may be of this machine or a private network, and without TLS.",
        scope=_SCOPE,
    )
    ca_file: Path | None = field(
        None, "Certificates that the server's is checked against, PEM; empty: this machine's.", scope=_SCOPE
    )

    aliases: bool = field(
        default=False,
        description="Whether the alias of somebody recognised is posted too; of those alone who agreed that "
        "others see when they were recognised.",
        scope=_SCOPE,
    )

    @field_validator("url")
    @classmethod
    def _address(cls, secret: SecretStr) -> SecretStr:
        url = secret.get_secret_value()
        # Words without what was written: it is a secret.
        if not url.isascii() or not url.isprintable() or " " in url or len(url) > _MOST_URL:
            raise ValueError(f"printable ASCII without spaces is needed, {_MOST_URL} characters at most")
        try:
            parts = urlsplit(url)
            usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ValueError("https://host/path is needed")
        if parts.username is not None or parts.password is not None:
            raise ValueError("a user or a password in it is not taken; requests are signed")
        if parts.fragment:
            raise ValueError("a fragment (#…) is never sent")
        return secret

    @field_validator("secret")
    @classmethod
    def _long_enough(cls, secret: SecretStr) -> SecretStr:
        if len(secret.get_secret_value()) < _LEAST_SECRET:
            raise ValueError(f"{_LEAST_SECRET} characters at least are needed")
        return secret

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.url.get_secret_value().lower().startswith("http:") and not self.allow_private:
            raise ValueError("url must begin with https://, unless allow_private is true")
        return self
