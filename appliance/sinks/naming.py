"""What copies are called in a bucket, and what a bucket is called in our notes. Pure."""

import hashlib

from appliance.settings import S3Settings

_CHARS = 16


def target_of(settings: S3Settings) -> str:
    """Names endpoint, bucket and prefix in 16 characters: what was copied elsewhere is another copy."""
    place = "\n".join((settings.endpoint or "", settings.bucket, settings.prefix))
    return hashlib.sha256(place.encode()).hexdigest()[:_CHARS]


def key_of(settings: S3Settings, device: str, name: str) -> str:
    """An object's name for a file's: prefix, id of the box, name. Nothing about anybody."""
    return f"{settings.prefix}/{device}/{name}"


def file_of(capture: str) -> str:
    """A capture's file name, here and there."""
    return f"{capture}.age"
