"""Asking the service about streams: is there one, what does it keep, where is it sent to; making one.

boto3 covers all of it. Each question is asked once, with short time limits: whoever asks tries again. A
stream is never made without retention: the service's own default is 0 hours, which keeps nothing. Nothing is
kept in mind here; how long an endpoint is good is `endpoints`' business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, Protocol

from appliance.clock import Clock
from appliance.errors import StreamError
from appliance.settings import KvsSettings
from appliance.video.kvs.clients import Clients
from appliance.video.kvs.credentials import CredentialSource
from appliance.video.kvs.refusals import explained

MEDIA_TYPE: Final = "video/h264"

Api = Literal[
    "PUT_MEDIA",
    "LIST_FRAGMENTS",
    "GET_CLIP",
    "GET_HLS_STREAMING_SESSION_URL",
    "GET_MEDIA_FOR_FRAGMENT_LIST",
]
"""What an endpoint is for: each has its own."""


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What the service says of a stream.

    Attributes:
        name: What it is called.
        status: ACTIVE, or CREATING, UPDATING, DELETING.
        retention_hours: For how long it keeps video; 0: it keeps nothing.
        version: Names this state of it, for whoever changes it.
        media_type: What it is said to hold.
        created_at: Aware; None: not said.
    """

    name: str
    status: str
    retention_hours: int
    version: str
    media_type: str = ""
    created_at: datetime | None = None


class ControlPlane(Protocol):
    """Asks about streams. Every method may raise a StreamError: the service cannot be asked, or refuses."""

    def describe(self, stream: str) -> StreamFacts | None:
        """What there is of this name; None: nothing."""

    def create(self, stream: str, retention_hours: int) -> None:
        """Make one. One that is there already is none of this method's business, and no error.

        Args:
            stream: Its name.
            retention_hours: For how long it keeps video, 1 or more.
        """

    def raise_retention(self, facts: StreamFacts, retention_hours: int) -> None:
        """Let it keep video for longer: until so many hours."""

    def endpoint(self, stream: str, api: Api) -> str:
        """Where this is asked of this stream: https://host or http://host:port."""


class Control:
    """A control plane by boto3; may be used by several threads.

    Args:
        settings: Where the service is, whom to trust.
        credentials: Whose name questions go in.
        clock: Held against the service's.
    """

    def __init__(self, settings: KvsSettings, credentials: CredentialSource, clock: Clock) -> None:
        self._kms_key = settings.kms_key
        self._endpoint = settings.endpoint
        self._clients = Clients(settings, credentials)
        self._clock = clock

    def describe(self, stream: str) -> StreamFacts | None:
        """What there is of this name; None: nothing.

        Raises:
            StreamError: The service cannot be asked, or refuses.
        """
        try:
            with explained("DescribeStream", self._clock):
                raw = self._asked().describe_stream(**named(stream))["StreamInfo"]
        except StreamError as error:
            if error.reason == "no_stream":
                return None
            raise
        return _facts(raw, stream)

    def create(self, stream: str, retention_hours: int) -> None:
        """Make one, with retention; one that is there already is fine.

        Raises:
            StreamError: The service cannot be asked, or refuses.
        """
        wanted: dict[str, Any] = {
            "StreamName": stream,
            "MediaType": MEDIA_TYPE,
            "DataRetentionInHours": max(1, retention_hours),
            "Tags": {"made-by": "office-door-appliance"},
        }
        if self._kms_key is not None:
            wanted["KmsKeyId"] = self._kms_key
        try:
            with explained("CreateStream", self._clock):
                self._asked().create_stream(**wanted)
        except StreamError as error:
            if error.reason != "not_active":  # ResourceInUse: somebody made it meanwhile
                raise

    def raise_retention(self, facts: StreamFacts, retention_hours: int) -> None:
        """Let it keep video until so many hours; one that keeps it for longer is left as it is.

        Raises:
            StreamError: The service cannot be asked, or refuses.
        """
        more = retention_hours - facts.retention_hours
        if more <= 0:
            return
        with explained("UpdateDataRetention", self._clock):
            self._asked().update_data_retention(
                **named(facts.name),
                CurrentVersion=facts.version,
                Operation="INCREASE_DATA_RETENTION",
                DataRetentionChangeInHours=more,
            )

    def endpoint(self, stream: str, api: Api) -> str:
        """Where this is asked of this stream.

        Raises:
            StreamError: The service cannot be asked, or refuses.
        """
        with explained("GetDataEndpoint", self._clock):
            return str(self._asked().get_data_endpoint(**named(stream), APIName=api)["DataEndpoint"])

    def _asked(self) -> Any:
        """A client with the credentials of now."""
        return self._clients.get("kinesisvideo", self._endpoint)


def named(stream: str) -> Mapping[str, str]:
    """A stream as questions name it: by its name, or by its ARN."""
    return {"StreamARN": stream} if stream.startswith("arn:") else {"StreamName": stream}


def _facts(raw: Mapping[str, Any], stream: str) -> StreamFacts:
    return StreamFacts(
        name=str(raw.get("StreamName") or stream),
        status=str(raw.get("Status") or ""),
        retention_hours=int(raw.get("DataRetentionInHours") or 0),
        version=str(raw.get("Version") or ""),
        media_type=str(raw.get("MediaType") or ""),
        created_at=raw.get("CreationTime"),
    )
