"""What boto3 and face_recognition of 2018 took and gave, put back when a function imports them.

Also what stands in a ported file for the import of a module that is not here and that it does not use.
"""

import builtins
import functools
import importlib
import os
import sys
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from appliance.deeplens.porting import when_imported

_OF_PICTURES: Final = ("face_encodings", "face_landmarks", "face_locations")
_ACCELERATED: Final = "use_accelerate_endpoint"
_ENDPOINT: Final = "AWS_ENDPOINT_URL_S3"


def install() -> None:
    """From now on. May be called again."""
    builtins.unused_import = unused_import  # type: ignore[attr-defined]
    when_imported.install(ADDED)


def unused_import(name: str) -> Any:
    """Import a module that the importing file does not use; where it is not here, say so in the log.

    Returns:
        The module at its top; None where there is none.
    """
    try:
        return __import__(name)
    except ModuleNotFoundError as error:
        print(f"no module {error.name}: the function goes on, for it does not use it", file=sys.stderr)  # noqa: T201
        return None


def _requests(vendored: Any) -> None:
    """`from botocore.vendored import requests` was all of requests until 2019."""
    vendored.__getattr__ = functools.partial(getattr, importlib.import_module("requests"))


def _config(config: Any) -> None:
    """A store that settings name is not reached by Amazon's own faster way, which fails beside a name."""
    begin = config.Config.__init__

    @functools.wraps(begin)
    def begun(self: Any, *positional: Any, **named: Any) -> None:
        wishes = named.get("s3")
        if isinstance(wishes, dict) and os.environ.get(_ENDPOINT):
            named["s3"] = {name: value for name, value in wishes.items() if name != _ACCELERATED}
        begin(self, *positional, **named)

    config.Config.__init__ = begun


def _faces(api: Any) -> None:
    """Pictures whose channels were turned round by `[:, :, ::-1]`, which dlib refuses today."""
    for name in _OF_PICTURES:
        setattr(api, name, _in_one_piece(getattr(api, name)))


def _in_one_piece(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def called(picture: Any, *positional: Any, **named: Any) -> Any:
        whole = np.ascontiguousarray(picture) if isinstance(picture, np.ndarray) else picture
        return call(whole, *positional, **named)

    return called


ADDED: Final[dict[str, when_imported.Added]] = {
    "botocore.config": _config,
    "botocore.vendored.requests": _requests,
    "face_recognition.api": _faces,
}
"""What is done to which module, once it is imported."""
