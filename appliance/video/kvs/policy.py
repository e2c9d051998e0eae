"""The rights that sending and playing need, as an IAM policy: for these streams alone, and not to delete.

`policy.json` beside this holds every statement; what a setting asks for is left out without it.
"""

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from appliance.settings import KvsSettings


def policy(settings: KvsSettings, streams: Sequence[str]) -> dict[str, Any]:
    """The policy for these streams.

    REGION and ACCOUNT stand in it where they are not known, to be filled in.

    Args:
        settings: What the box may do with streams, and the key they are encrypted with.
        streams: Their names, or ARNs.
    """
    whole: dict[str, Any] = json.loads(
        files("appliance.video.kvs").joinpath("policy.json").read_text(encoding="utf-8")
    )
    unwanted = {
        *(() if settings.create else ("MakeStreams",)),
        *(() if settings.raise_retention else ("RaiseRetention",)),
        *(() if settings.kms_key is not None else ("EncryptVideo",)),
    }
    statements = [dict(each) for each in whole["Statement"] if each["Sid"] not in unwanted]
    region = settings.region or "REGION"
    for each in statements:
        if each["Resource"] == "STREAM":
            each["Resource"] = [_stream(name, region) for name in streams]
        else:
            each["Resource"] = _key(settings.kms_key or "", each["Resource"].replace("REGION", region))
    return {**whole, "Statement": statements}


def _stream(name: str, region: str) -> str:
    """A stream as a resource: behind its name stands when it was made."""
    return name if name.startswith("arn:") else f"arn:aws:kinesisvideo:{region}:ACCOUNT:stream/{name}/*"


def _key(key: str, pattern: str) -> str:
    """A key as a resource: its ARN, or what can be said of one from its id. An alias is none."""
    if key.startswith("arn:"):
        return key
    return pattern if key.startswith("alias/") else pattern.replace("KEY", key)
