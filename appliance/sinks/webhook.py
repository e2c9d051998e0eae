"""Events to a webhook: signed JSON, posted once per attempt; what an answer means for the next one.

Retrying is dispatch's. The address is as secret as the key: it is in no message and no log, and neither is
what the server answers beyond the status.
"""

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, urlsplit

from appliance.clock import Clock
from appliance.deliveries import Delivery
from appliance.errors import ActionError
from appliance.settings import WebhookSettings
from appliance.sinks.documents import Aliases, document, written
from appliance.sinks.webhook_address import checked
from appliance.sinks.webhook_request import Answered, Requests, Target, too_late
from appliance.sinks.webhook_signature import EVENT, IDEMPOTENCY_KEY, SIGNATURE, TIMESTAMP, signature

LONGEST_PAUSE_S: Final = 3600.0
"""However long a server asks to be left alone, it is asked again after an hour."""
_TEMPORARY: Final = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
_AGENT: Final = "office-door-appliance"

Checked = Callable[..., tuple[str, ...]]
"""`webhook_address.checked`, or what stands in for it."""


class WebhookAction:
    """Posts one event at a time.

    Args:
        settings: Of the webhook.
        device: Id of the box.
        clock: For timestamps.
        aliases: Names who may be named; asked only where the settings say so.
        check: Looks up and judges addresses.
    """

    def __init__(
        self,
        settings: WebhookSettings,
        device: str,
        clock: Clock,
        aliases: Aliases | None = None,
        *,
        check: Checked = checked,
    ) -> None:
        self._settings = settings
        self._device = device
        self._clock = clock
        self._aliases = aliases if settings.aliases else None
        self._check = check
        self._requests = Requests()

    def perform(self, delivery: Delivery) -> None:
        """Post the event; returning means that the server took it.

        Raises:
            ActionError: It did not; `permanent` where it never will.
        """
        self.post(document(delivery, self._device, self._aliases), key=delivery.idempotency_key)

    def post(self, content: Mapping[str, Any], *, key: str, begin_s: float | None = None) -> int:
        """Post any document with a `type`, signed; the status of the answer.

        Args:
            content: JSON values.
            key: For the receiver to know a repetition by.
            begin_s: See `send`.

        Raises:
            ActionError: It was not taken.
        """
        return self.send(written(content), key=key, kind=str(content.get("type", "")), begin_s=begin_s)

    def send(self, body: bytes, *, key: str, kind: str, begin_s: float | None = None) -> int:
        """Post any JSON, signed; returning means that the server took it: the status of its answer.

        Args:
            body: As it is sent.
            key: For the receiver to know a repetition by.
            kind: What it is about: the type of an event, `song`, or `webhook_test`.
            begin_s: Seconds in which looking the name up, connecting and shaking hands have to be done; then
                nothing is sent any more. None: the settings' time for each.

        Raises:
            ActionError: It was not taken. With `begin_s`, for what is never repeated, `unknown` where
                it was sent and no answer came.
        """
        started_s = time.monotonic()  # the machine's own clock: a network takes real time
        headers = self._headers(body, key, kind)
        if begin_s is None:
            target = self._target()
        else:
            target = _within(self._target, begin_s)
            begin_s -= time.monotonic() - started_s
        try:
            answered = self._requests.post(target, body, headers, self._settings.timeout_s, begin_s)
        except ActionError as error:
            if begin_s is None or not self._requests.begun:
                raise
            raise ActionError(
                f"{error.message}; it may have been taken", hint=error.hint, unknown=True
            ) from error
        judge(answered, self._clock.wall())
        return answered.status

    def close(self) -> None:
        """Give up the request that is under way."""
        self._requests.close()

    def _target(self) -> Target:
        """Where to, looked up and judged now.

        Raises:
            ActionError: It may not be posted to, or the certificates cannot be read.
        """
        parts = urlsplit(self._settings.url.get_secret_value())
        safe = parts.scheme == "https"
        host = str(parts.hostname)
        port = parts.port or (443 if safe else 80)
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~") + (
            f"?{parts.query}" if parts.query else ""
        )
        addresses = self._check(host, port, allow_private=self._settings.allow_private)
        return Target(host, port, addresses, path, self._context() if safe else None)

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._settings.ca_file)
        except (OSError, ValueError) as error:
            raise ActionError(
                "the certificates in the webhook's ca_file cannot be read",
                hint="a PEM file is needed that dispatch may read",
            ) from error

    def _headers(self, body: bytes, key: str, kind: str) -> dict[str, str]:
        timestamp = int(self._clock.wall().timestamp())
        secret = self._settings.secret.get_secret_value().encode()
        return {
            "Content-Type": "application/json",
            "User-Agent": _AGENT,
            TIMESTAMP: str(timestamp),
            SIGNATURE: signature(secret, timestamp, body),
            IDEMPOTENCY_KEY: key,
            EVENT: kind,
        }


def _within(target: Callable[[], Target], seconds: float) -> Target:
    """Where to, if that is known in time; a lookup that takes longer is left to itself.

    Raises:
        ActionError: It is not, or it may not be posted to.
    """
    found: Future[Target] = Future()

    def look() -> None:
        try:
            found.set_result(target())
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            found.set_exception(error)

    threading.Thread(target=look, name="webhook-lookup", daemon=True).start()
    try:
        return found.result(max(0.0, seconds))
    except TimeoutError as error:
        raise too_late() from error


def judge(answered: Answered, now: datetime) -> None:
    """What an answer means.

    Args:
        answered: It.
        now: Aware time, for a `Retry-After` that is a date.

    Raises:
        ActionError: The event was not taken; `permanent` where another try cannot help.
    """
    status = answered.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status in _TEMPORARY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise ActionError(
            f"the server answered {status}: not now",
            hint="look at the server; it is tried again by itself",
            retry_after_s=pause_s(answered.retry_after, now),
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise ActionError(
            f"the server sends elsewhere (it answered {status}), and no webhook follows",
            permanent=True,
            hint="put the address it sends to into the settings",
        )
    raise ActionError(
        f"the server refuses it: it answered {status}",
        permanent=True,
        hint="look at the webhook's url and secret, and at the server's log",
    )


def pause_s(text: str | None, now: datetime) -> float | None:
    """Seconds that a `Retry-After` asks for, an hour at most; None: nothing that is understood."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_PAUSE_S)
    try:
        seconds = (parsedate_to_datetime(text) - now).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 0.0), LONGEST_PAUSE_S)
