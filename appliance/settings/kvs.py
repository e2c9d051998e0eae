"""The settings of Kinesis Video Streams: whether clips go there, to which stream, with whose credentials.

No secret stands here: credentials come by the chain of AWS's own library, or from a file it reads.
"""

from pathlib import Path

from appliance.settings.room import Room, field

_SCOPE = "video"
STREAM_NAME = r"[a-zA-Z0-9_.-]{1,256}"
"""What a stream may be called, by the service's own rule."""


class KvsSettings(Room):
    """Clips sent to Kinesis Video Streams, a stream for each camera."""

    enabled: bool = field(
        default=False,
        description="Whether clips are sent to Kinesis Video Streams as well; they are kept here either way.",
        scope=_SCOPE,
    )
    stream: str = field(
        "{site}-{camera}",
        "What a camera's stream is called; {site} and {camera} stand for their ids. A stream has one "
        "connection, so each camera needs its own.",
        scope=_SCOPE,
        pattern=r"^([a-zA-Z0-9_.-]|\{site\}|\{camera\}){1,200}$",
    )
    region: str | None = field(
        None,
        "Region of the streams; empty: what the credentials' own configuration says, else us-east-1.",
        scope=_SCOPE,
        pattern=r"^[a-z0-9-]{1,40}$",
    )
    endpoint: str | None = field(
        None,
        "Address of the service, https://host or http://host:port, for a trial without AWS; empty: Amazon's "
        "of the region.",
        scope=_SCOPE,
        pattern=r"^https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9._~/-]*)?$",
    )
    ca_file: Path | None = field(
        None,
        "Certificates (PEM) that the service's is checked against; empty: those that AWS's library trusts.",
        scope=_SCOPE,
    )
    credentials_file: Path | None = field(
        None,
        "A file of credentials as AWS's own tools write it, read anew for every connection; empty: as these "
        "find them (environment, ~/.aws, role of the machine).",
        scope=_SCOPE,
    )
    profile: str | None = field(
        None, "Which profile of the credentials.", scope=_SCOPE, pattern=r"^[A-Za-z0-9._-]{1,64}$"
    )
    create: bool = field(
        default=True,
        description="Whether a stream that is not there is made, with the retention below.",
        scope=_SCOPE,
    )
    retention_hours: int = field(
        24,
        "Hours for which the service keeps video. A stream made elsewhere may say 0, which keeps nothing: "
        "nothing is sent to such a one.",
        scope=_SCOPE,
        ge=1,
        le=87_600,
    )
    raise_retention: bool = field(
        default=False,
        description="Whether the box raises the retention of a stream that keeps video for less than that.",
        scope=_SCOPE,
    )
    kms_key: str | None = field(
        None,
        "Key of AWS KMS that a stream made here is encrypted with; empty: the service's own.",
        scope=_SCOPE,
        pattern=r"^[A-Za-z0-9:/_-]{1,200}$",
    )
    spool_mib: int = field(
        2048,
        "Room on the disk for what the service does not have yet, for each stream; above it the oldest clips "
        "are not sent any more. At 4 Mbit/s a clip of 60 s takes 29 MiB.",
        scope=_SCOPE,
        ge=16,
    )
    silent_s: float = field(
        12.0,
        "Seconds without an answer, while something waits for one, after which it is connected anew; twice "
        "as long, and longer where that is not enough, while the service stores what it has received.",
        scope=_SCOPE,
        ge=5,
        le=60,
    )


def stream_of(settings: KvsSettings, site: str, camera: str) -> str:
    """What a camera's stream is called.

    Args:
        settings: How it is made.
        site: Id of the site.
        camera: Id of the camera.
    """
    return settings.stream.replace("{site}", site).replace("{camera}", camera)
