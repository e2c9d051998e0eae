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


def unused_import(statement: str, names: dict[str, Any]) -> None:
    """Import what the importing file does not use itself; where it is not here, say so in the log.

    Args:
        statement: The import, as it stood.
        names: Of the file.
    """
    try:
        exec(statement, names)  # noqa: S102 - the function's own line
    except ModuleNotFoundError as error:
        print(f"no module {error.name}: the function goes on, for it does not use it", file=sys.stderr)  # noqa: T201


def _requests(vendored: Any) -> None:
    """`from botocore.vendored import requests` was all of requests until 2019."""

    def found(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        requests = importlib.import_module("requests")
        vendored.exceptions = requests.exceptions  # those that are raised are caught
        return getattr(requests, name)

    vendored.__getattr__ = found


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
        if hasattr(api, name):
            setattr(api, name, _in_one_piece(getattr(api, name)))


def _in_one_piece(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def called(*positional: Any, **named: Any) -> Any:
        return call(*map(_whole, positional), **{name: _whole(value) for name, value in named.items()})

    return called


def _whole(value: Any) -> Any:
    return np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value


ADDED: Final[dict[str, when_imported.Added]] = {
    "botocore.config": _config,
    "botocore.vendored.requests": _requests,
    "face_recognition.api": _faces,
}
"""What is done to which module, once it is imported."""
