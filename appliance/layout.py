"""Where the box's things lie, and the environment variables by which its processes are handed what they need.

Paths and names only: opens nothing, so that a process without a database does not load what opens one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CAMERA_VARIABLE = "APPLIANCE_CAMERA"
"""Environment variable with a source that stands in for the configured cameras; may hold a password."""
CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
"""The folder of credentials that systemd hands over."""
PASSPHRASE_VARIABLE = "APPLIANCE_PASSPHRASE"  # noqa: S105 - the name of a variable
"""Environment variable that hands over the passphrase, to the processes that hold keys and no others."""

BUCKET_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Environment variables with credentials for a bucket, as AWS's own library reads them."""

_SECRETS = (CAMERA_VARIABLE, CREDENTIALS_VARIABLE, PASSPHRASE_VARIABLE, *BUCKET_VARIABLES)


def without_secrets(environment: Mapping[str, str], *, but: Sequence[str] = ()) -> dict[str, str]:
    """An environment without what opens the vault, a camera or a bucket, but for the variables in `but`."""
    return {name: value for name, value in environment.items() if name not in _SECRETS or name in but}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie in the state directory.

    Attributes:
        state: The directory.
    """

    state: Path

    @property
    def settings_file(self) -> Path:
        """The settings, where they are kept beside the state."""
        return self.state / "appliance.toml"

    @property
    def overlay_file(self) -> Path:
        """What was changed of the settings in the UI, which alone writes it."""
        return self.state / "overlay.toml"

    @property
    def database(self) -> Path:
        """The SQLite database."""
        return self.state / "appliance.db"

    @property
    def identity(self) -> Path:
        """The device's id."""
        return self.state / "device.json"

    @property
    def log_head(self) -> Path:
        """The newest signed head of the log, kept outside the database."""
        return self.state / "log.head"

    @property
    def heads(self) -> Path:
        """Signed heads of the log, one after the other."""
        return self.state / "heads"

    @property
    def spool(self) -> Path:
        """Sealed captures."""
        return self.state / "spool"

    @property
    def sync_file(self) -> Path:
        """What is told by whoever copies captures to a bucket."""
        return self.state / "run" / "sync.json"

    @property
    def sync_lock(self) -> Path:
        """Held by whoever copies captures to a bucket."""
        return self.state / "run" / "sync.lock"

    @property
    def functions(self) -> Path:
        """The deployed functions, a folder each."""
        return self.state / "deeplens" / "functions"

    @property
    def clips(self) -> Path:
        """Clips of video, sealed, a folder each."""
        return self.state / "video" / "clips"

    @property
    def kvs(self) -> Path:
        """What waits to be sent to Kinesis Video Streams, a folder for each stream."""
        return self.state / "video" / "kvs"

    def shut_picture(self, door: str) -> Path:
        """The picture of a door, shut, that an admin vouched for; `door` is an id of the settings."""
        return self.state / "doors" / f"{door}.json"

    @property
    def web_file(self) -> Path:
        """Where the web process tells at which address it is reached; gone while it does not listen."""
        return self.state / "run" / "web.json"

    @property
    def certificate(self) -> Path:
        """The certificate of the admin pages, where it is made on this box."""
        return self.state / "web.certificate.pem"

    @property
    def certificate_key(self) -> Path:
        """The private key of that certificate."""
        return self.state / "web.key.pem"

    def socket(self, process: str) -> Path:
        """The Unix socket of one of our processes."""
        return self.state / "run" / f"{process}.sock"
