"""The settings of hosted DeepLens functions: whether they run, how fast frames come, where boto3 leads.

Which functions are deployed, and what each may, is not said here: that stands beside each function.
"""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from appliance.settings.room import Room, field

_SCOPE = "functions"


class DeepLensSettings(Room):
    """Functions written for AWS DeepLens, hosted as they are."""

    enabled: bool = field(
        default=True,
        description="Whether the process that hosts functions is run; without a deployed function it waits.",
        scope="all",
    )
    fps: float = field(
        16.0,
        "Frames per second that functions are given, and how often a second each process of one infers on "
        "frames, at most; from a camera that gives fewer it may have a frame twice.",
        scope=_SCOPE,
        ge=1,
        le=60,
    )
    accept_uncontained: bool = field(
        default=False,
        description="Whether functions run even where this system does not contain them: they can then read "
        "whatever the appliance's account can, use the network and leave processes behind.",
        scope=_SCOPE,
        command="appliance doctor",
    )
    box_streams: bool = field(
        default=False,
        description="Whether the two streams are at their places on the box as well: "
        "/opt/awscam/out/ch1_out.h264, ch2_out.mjpeg and /tmp/results.mjpeg. The appliance's account and the "
        "group `video`, which may read cameras, can watch them.",
        scope=_SCOPE,
    )
    send_recordings: bool = field(
        default=False,
        description="Whether what functions record goes to Kinesis Video Streams as well, with the box's own "
        "credentials, into streams of the names that they choose; it does only where video.kvs is enabled. "
        "Video leaves the box by that.",
        scope="video",
    )
    silent_s: float = field(
        60.0,
        "Seconds without a frame taken after which a function is started again, if its main program is over.",
        scope=_SCOPE,
        ge=20,
        le=86_400,
    )
    thing: str | None = field(
        None,
        "Name of the thing that functions are told and publish under; empty: made of the id of the box.",
        scope=_SCOPE,
        pattern=r"^[A-Za-z0-9:_-]{1,128}$",
    )
    region: str = field(
        "us-east-1",
        "Region that functions are told when they use AWS's services.",
        scope=_SCOPE,
        pattern=r"^[a-z0-9-]{1,32}$",
    )
    endpoint_url: str | None = field(
        None,
        "Where AWS's library leads in functions: a service of one's own, such as http://minio.lan:9000. A "
        "function reaches it only if the host was granted to it. Empty: AWS.",
        scope=_SCOPE,
        pattern=r"^https?://[A-Za-z0-9.:\[\]_-]{1,253}(/[A-Za-z0-9/._-]{0,200})?$",
    )
    credentials_file: Path | None = field(
        None,
        "Credentials that functions are given for that, as AWS's own file of credentials, its profile "
        "`default`. Empty: made-up ones that open nothing.",
        scope=_SCOPE,
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.credentials_file is not None and not self.credentials_file.is_absolute():
            raise ValueError("credentials_file must be a whole path, beginning with /")
        return self
