"""What every request to a bucket's service shares: client, credentials, pace, what objects are made with.

Remembers what the service was found not to understand. No request is made here (that is `bucket`'s), none is
tried twice (`copying`'s), and what an answer means is `faults`'.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NoReturn

from botocore.exceptions import ClientError

from appliance.clock import Clock
from appliance.errors import SinkError
from appliance.settings import S3Settings
from appliance.sinks.client import made
from appliance.sinks.faults import code_of, explained, status_of
from appliance.sinks.pacing import Pace, PacedBody

_THERE, _MEANWHILE, _NOT_BUILT = 412, 409, 501


class OccupiedError(Exception):
    """There is an object of that name already; whose, `Bucket.find` tells."""


class Service:
    """The service of one bucket.

    Args:
        settings: Which, and how.
        clock: For locks and paces.
        stop: Ends what waits for the pace.
    """

    def __init__(self, settings: S3Settings, clock: Clock, stop: threading.Event) -> None:
        self._settings = settings
        self._clock = clock
        self._client: Any = None
        self._conditional = True
        self._pace = None if settings.max_kib_s is None else Pace(settings.max_kib_s * 1024, clock, stop.wait)

    @contextmanager
    def asked(self) -> Iterator[Any]:
        """A client for one request; what it says is turned into our words.

        Raises:
            SinkError: The request failed.
        """
        try:
            with explained(self._clock):
                if self._client is None:
                    self._client = made(self._settings)
                yield self._client
        except SinkError as error:
            if error.reason in {"credentials", "no_credentials"}:
                self.close()  # the next request reads them anew
            raise

    @contextmanager
    def creating(self) -> Iterator[tuple[Any, dict[str, str]]]:
        """A client, and the words by which an object is made only where there is none.

        A service that does not understand those is asked without from then on.

        Raises:
            OccupiedError: There is one.
            SinkError: It was not made; or it was, and that could not be told.
        """
        with self.asked() as client:
            try:
                yield client, {"IfNoneMatch": "*"} if self._conditional else {}
            except ClientError as error:
                self._not_made(error)

    def headers(self) -> dict[str, Any]:
        """What a new object is to be locked and encrypted with."""
        headers: dict[str, Any] = {}
        if self._settings.object_lock != "off":
            days = timedelta(days=self._settings.object_lock_days or 0)
            headers["ObjectLockMode"] = self._settings.object_lock.upper()
            headers["ObjectLockRetainUntilDate"] = self._clock.wall() + days
        if self._settings.kms_key is not None:
            headers["ServerSideEncryption"] = "aws:kms"
            headers["SSEKMSKeyId"] = self._settings.kms_key
        return headers

    def body(self, content: bytes) -> Any:
        """Bytes to send, no faster than the settings let them."""
        return content if self._pace is None else PacedBody(content, self._pace)

    def close(self) -> None:
        """Let go of connections, and of credentials: the next request reads them anew."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _not_made(self, error: Any) -> NoReturn:
        if status_of(error) in {_THERE, _MEANWHILE} and code_of(error) in {
            "PreconditionFailed",
            "ConditionalRequestConflict",
        }:
            raise OccupiedError from error
        if self._conditional and status_of(error) == _NOT_BUILT:
            # Such a service is asked what is there before anything is sent, and that must do.
            self._conditional = False
            raise SinkError(
                "the service does not know conditional requests", reason="busy", hint="it is asked without"
            ) from error
        raise error
