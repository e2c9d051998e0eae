"""The rights that copying needs, as an IAM policy: put, look, give up what was begun. Not to delete.

`policy.json` beside this holds every statement; what a setting asks for is left out without it.
"""

import json
from importlib.resources import files
from typing import Any

from appliance.settings import S3Settings

ARN = "arn:"


def policy(settings: S3Settings, device: str) -> dict[str, Any]:
    """The policy for one box and its bucket.

    A KMS key that is not named by its ARN leaves REGION and ACCOUNT in it, to be filled in.

    Args:
        settings: Bucket, prefix, and what is locked and encrypted.
        device: Id of the box.
    """
    whole: dict[str, Any] = json.loads(
        files("appliance.sinks").joinpath("policy.json").read_text(encoding="utf-8")
    )
    unwanted = {
        *(("LockCopies",) if settings.object_lock == "off" else ()),
        *(("EncryptCopies",) if settings.kms_key is None else ()),
    }
    place = f"{settings.bucket}/{settings.prefix}/{device}"
    statements = [dict(each) for each in whole["Statement"] if each["Sid"] not in unwanted]
    for each in statements:
        each["Resource"] = each["Resource"].replace("BUCKET/PREFIX/DEVICE", place)
        if each["Sid"] == "EncryptCopies":
            each["Resource"] = _key(settings.kms_key or "", each["Resource"])
    return {**whole, "Statement": statements}


def _key(key: str, pattern: str) -> str:
    """A key as a resource: its ARN, or what can be said of one from its id. An alias is none."""
    if key.startswith(ARN):
        return key
    return pattern if key.startswith("alias/") else pattern.replace("KEY", key)
