"""The settings of copies: where sealed captures are copied to, in a bucket of any S3 service.

No secret stands here: credentials come by the chain of AWS's own library, or from a file it reads.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from appliance.settings.room import Room, field

_SCOPE = "dispatch"


class S3Settings(Room):
    """A bucket that sealed captures are copied to."""

    bucket: str = field(
        "",
        "The bucket that sealed captures are copied to; empty: nothing is copied.",
        scope=_SCOPE,
        pattern=r"^$|^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
    )
    endpoint: str | None = field(
        None,
        "Address of the S3 service, https://host or http://host:port; empty: Amazon's of the region.",
        scope=_SCOPE,
        pattern=r"^https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9._~/-]*)?$",
    )
    region: str | None = field(
        None,
        "Region of the bucket; empty: what the credentials' own configuration says, else us-east-1.",
        scope=_SCOPE,
        pattern=r"^[a-z0-9-]{1,40}$",
    )
    addressing: Literal["auto", "path", "virtual"] = field(
        "auto",
        "How the bucket is named in requests: auto, path (host/bucket: most services that are not Amazon's) "
        "or virtual (bucket.host).",
        scope=_SCOPE,
    )
    prefix: str = field(
        "captures",
        "What the names of copies begin with; the id of the box and that of the capture follow.",
        scope=_SCOPE,
        pattern=r"^[A-Za-z0-9._-]{1,64}(/[A-Za-z0-9._-]{1,64}){0,3}$",
    )
    credentials_file: Path | None = field(
        None,
        "A file of credentials as AWS's own tools write it; empty: as these find them (environment, "
        "~/.aws, role of the machine).",
        scope=_SCOPE,
    )
    profile: str | None = field(
        None, "Which profile of the credentials.", scope=_SCOPE, pattern=r"^[A-Za-z0-9._-]{1,64}$"
    )
    object_lock: Literal["off", "governance", "compliance"] = field(
        "off",
        "Whether copies are locked against deletion: off, governance (some may lift it) or compliance "
        "(nobody may, not even the account's owner). The bucket must have been made for it.",
        scope=_SCOPE,
    )
    object_lock_days: int | None = field(
        None, "Days for which a copy is locked.", scope=_SCOPE, ge=1, le=36_500
    )
    kms_key: str | None = field(
        None,
        "Key of AWS KMS that the service encrypts copies with, on top of their own seal; empty: the bucket's "
        "default.",
        scope=_SCOPE,
        pattern=r"^[A-Za-z0-9:/_-]{1,200}$",
    )
    max_kib_s: int | None = field(
        None, "Bandwidth that copying may take, KiB a second; empty: no cap.", scope=_SCOPE, ge=8
    )
    wait_s: float = field(
        120.0,
        "Seconds from sealing to copying: a capture that is taken back within them, because the person was "
        "recognised after all, leaves no copy.",
        scope=_SCOPE,
        ge=0,
        le=86_400,
    )
    remove_local_days: float | None = field(
        None,
        "Days after which a capture is deleted here once its copy was verified; 0: at once; empty: when its "
        "time is over, like any other.",
        scope=_SCOPE,
        ge=0,
        le=3650,
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.object_lock == "off") != (self.object_lock_days is None):
            raise ValueError(
                "object_lock_days is for object_lock = 'governance' or 'compliance', which need it"
            )
        if not self.bucket and self.remove_local_days is not None:
            raise ValueError("remove_local_days is for captures that are copied: name a bucket")
        if any(part in {".", ".."} for part in self.prefix.split("/")):
            raise ValueError("prefix must not hold . or .. as a part")
        return self


class CapturesSettings(Room):
    """Where sealed captures go besides the spool."""

    s3: S3Settings = field(S3Settings(), "A bucket that sealed captures are copied to.", scope=_SCOPE)
