"""The download with which functions of 2017 brought boto3: answered with an empty archive.

They fetched it from a stranger's bucket at every start; boto3 is here without. Every other address is asked
as ever.
"""

import io
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Any, Final

_PATH: Final = "/dear-demo/boto_3_dist.zip"
_HOST: Final = "dear-demo.s3"


def is_bootstrap(url: object) -> bool:
    """Whether an address is the one of that download, however the bucket is written in it."""
    parts = urllib.parse.urlsplit(str(url))
    named = parts.hostname is not None and parts.hostname.endswith(".amazonaws.com")
    if not named or parts.hostname is None:
        return False
    return parts.path == _PATH or (parts.hostname.startswith(_HOST) and parts.path == "/boto_3_dist.zip")


def retrieving(ordinary: Callable[..., Any]) -> Callable[..., Any]:
    """A `urlretrieve` that answers that one address itself.

    Args:
        ordinary: What fetches all others.
    """

    def urlretrieve(url: Any, filename: Any = None, *args: Any, **kwargs: Any) -> Any:
        if filename is None or not is_bootstrap(url):
            return ordinary(url, filename, *args, **kwargs)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w"):
            pass
        Path(filename).write_bytes(archive.getvalue())
        return str(filename), Message()

    return urlretrieve


def install() -> None:
    """Change `urllib.request.urlretrieve` of this process. For good: the process is the function's."""
    urllib.request.urlretrieve = retrieving(urllib.request.urlretrieve)
