"""The settings of the index of what was seen: how much of it is kept here, and where else it goes.

No address is opened here, and credentials of AWS stand in no settings file.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import SecretStr, model_validator

from appliance.settings.room import Room, field

_SCOPE = "dispatch"


class OpenSearchSettings(Room):
    """A service of OpenSearch or Elasticsearch that moments are copied to."""

    url: str = field(
        "",
        "Address of the service, https://host or http://host:port; empty: moments stay on the box.",
        scope=_SCOPE,
        pattern=r"^$|^https?://[A-Za-z0-9.\[\]:_-]+(/[A-Za-z0-9._~/-]*)?$",
    )
    index: str = field(
        "moments",
        "What the names of the indices begin with; the month of the moments follows, as moments-2026.01.",
        scope=_SCOPE,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
    )
    username: str | None = field(None, "Name to log on with.", scope=_SCOPE, min_length=1, max_length=255)
    password: SecretStr | None = field(None, "Password to log on with; never shown.", scope=_SCOPE)
    api_key: SecretStr | None = field(
        None, "An API key of Elasticsearch, encoded, instead of both; never shown.", scope=_SCOPE
    )
    aws: Literal["off", "es", "aoss"] = field(
        "off",
        "Whether requests are signed with credentials of AWS: es (a domain of the OpenSearch Service) or "
        "aoss (a collection of OpenSearch Serverless).",
        scope=_SCOPE,
    )
    region: str | None = field(
        None,
        "Region of AWS; empty: what the credentials' own configuration says.",
        scope=_SCOPE,
        pattern=r"^[a-z0-9-]{1,40}$",
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
    ca_file: Path | None = field(
        None, "Certificates that the service's is checked against, PEM; empty: this machine's.", scope=_SCOPE
    )
    batch: int = field(500, "Moments sent together, at most.", scope=_SCOPE, ge=1, le=5000)
    batch_kib: int = field(
        2048, "Size of what is sent together, at most, KiB.", scope=_SCOPE, ge=64, le=65536
    )
    every_s: float = field(5.0, "Seconds between two looks for new moments.", scope=_SCOPE, ge=1, le=3600)
    timeout_s: float = field(30.0, "Seconds that a request may take.", scope=_SCOPE, ge=1, le=300)
    encounters: bool = field(
        default=False,
        description="Whether it is told that somebody came by, with the verdict (identified, stranger) and "
        "without who it was. Who runs the service then knows when somebody is in the office.",
        scope=_SCOPE,
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        ways = (self.username is not None, self.api_key is not None, self.aws != "off")
        if sum(ways) > 1:
            raise ValueError("username, api_key and aws are three ways to log on: choose one")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password need each other")
        if sum(ways) and self.url.startswith("http:") and not self._near():
            raise ValueError("credentials go to an address that begins with https:// only")
        return self

    def _near(self) -> bool:
        """Whether the address is of this machine."""
        host = self.url.removeprefix("http://").partition("/")[0]
        return host == "localhost" or host.startswith(("127.", "localhost:", "[::1]"))


class IndexSettings(Room):
    """What was seen, kept as moments that are searched."""

    enabled: bool = field(
        default=True,
        description="Whether what is seen and logged is kept to be searched.",
        scope="all",
    )
    keep_days: float | None = field(
        90.0, "Days after which moments go; empty: by age they stay.", scope=_SCOPE, gt=0, le=36_500
    )
    max_moments: int | None = field(
        7_000_000,
        "Moments that there may be; above it the oldest go, by the hour: more than a week of ten a second. A "
        "million takes 100 to 200 MB; "
        "empty: any number.",
        scope=_SCOPE,
        ge=10_000,
    )
    opensearch: OpenSearchSettings = field(
        OpenSearchSettings(), "A service of OpenSearch or Elasticsearch beside.", scope=_SCOPE
    )
