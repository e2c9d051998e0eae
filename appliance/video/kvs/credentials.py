"""Whose name requests go in: AWS's own chain, or a file, looked at anew for every connection.

Only the head of a request is signed, so credentials matter when a connection is made; those that are rotated
meanwhile are taken up with the next. What the library keeps fresh by itself (the role of a machine) is left
to it. Nothing of them is ever shown.
"""

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from appliance.errors import StreamError
from appliance.settings import KvsSettings

DEFAULT_REGION: Final = "us-east-1"
_CREDENTIALS: Final = "~/.aws/credentials"
_CONFIG: Final = "~/.aws/config"
_VARIABLES: Final = ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request is signed with; as text it shows nothing of it.

    Attributes:
        access_key: Id of the key.
        secret_key: The key.
        token: Of temporary ones; None: they are not.
    """

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


class CredentialSource:
    """Finds credentials and the region. May be used by several threads.

    Args:
        settings: The file and the profile, if they are named, and the region.
    """

    def __init__(self, settings: KvsSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._found: Any = None
        self._found_with: tuple[object, ...] = ()
        self._region: str | None = None

    def fresh(self) -> Credentials:
        """Those to sign with now.

        Raises:
            StreamError: There are none, or what keeps them fresh cannot be reached.
        """
        from botocore.credentials import RefreshableCredentials  # noqa: PLC0415 - a box without it loads none
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        with self._lock:
            try:
                fresh = isinstance(self._found, RefreshableCredentials)
                if self._found is None or not (fresh or self._found_with == self._whereabouts()):
                    self._found_with = self._whereabouts()
                    self._found = self._session().get_credentials()
                frozen = None if self._found is None else self._found.get_frozen_credentials()
            except (BotoCoreError, ClientError, ValueError, OSError) as error:
                self._found = None
                raise self._none(f"the credentials cannot be read ({type(error).__name__})") from error
        if frozen is None or not frozen.access_key or not frozen.secret_key:
            raise self._none("there are no credentials for Kinesis Video Streams")
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token or None)

    def forget(self) -> None:
        """Ask anew for those that the library keeps, too: the service does not take them."""
        with self._lock:
            self._found = None

    @property
    def region(self) -> str:
        """The streams' region: that of the settings, else the credentials' own, else us-east-1."""
        if self._settings.region is not None:
            return self._settings.region
        if self._region is None:
            self._region = self._session().get_config_variable("region")
        return self._region or DEFAULT_REGION

    def _whereabouts(self) -> tuple[object, ...]:
        """All that lasting credentials come from, as far as it shows when they change."""
        named = self._settings.credentials_file or os.environ.get("AWS_SHARED_CREDENTIALS_FILE")
        files = (Path(named or _CREDENTIALS), Path(os.environ.get("AWS_CONFIG_FILE") or _CONFIG))
        variables = (os.environ.get(name) for name in _VARIABLES)
        return (*(_stamp(path.expanduser()) for path in files), *variables)

    def _session(self) -> Any:
        import botocore.session  # noqa: PLC0415 - takes a tenth of a second and some twenty megabytes

        session = botocore.session.Session()
        if self._settings.credentials_file is not None:
            session.set_config_variable("credentials_file", str(self._settings.credentials_file))
        if self._settings.profile is not None or self._settings.credentials_file is not None:
            # Named, it goes before whatever the environment says.
            session.set_config_variable("profile", self._settings.profile or "default")
        return session

    def _none(self, words: str) -> StreamError:
        return StreamError(
            words,
            reason="no_credentials",
            hint="name a file in video.kvs.credentials_file, or give this machine a role",
        )


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file does; None: there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
