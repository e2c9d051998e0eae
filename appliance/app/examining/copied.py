"""Copies of captures: whether they are made, how late they are, and who else could read the credentials."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from appliance.app.copies import sync_state
from appliance.app.examining.finding import Finding
from appliance.services import Layout, open_services
from appliance.settings import S3Settings, Settings

_LATE_S = 6 * 3600.0
_HOUR_S = 3600.0
_HERE = frozenset({"localhost", "127.0.0.1", "::1"})


def copies(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """How copying to a bucket is; nothing where none is set. The service itself is not asked.

    Raises:
        StoreError: The database cannot be opened.
        EvidenceError: The spool cannot be read.
    """
    bucket = settings.captures.s3
    if not bucket.bucket or not layout.database.exists():
        return
    yield from _credentials(bucket)
    with open_services(settings, layout) as services:
        state = sync_state(bucket, services)
        late_s = state.lag_s(services.clock.wall())
    found, told = state.backlog, state.told
    words = f"{found.verified} of {found.captures} captures are copied and verified"
    if told.state == "failing" and state.running:
        yield Finding("copies", "problem", f"{words}; in the way: {told.message}", told.hint, _CHECK)
    elif late_s > _LATE_S:
        late = f"{words}; the oldest that is not has waited for {late_s / _HOUR_S:.0f} hours"
        yield Finding(
            "copies", "problem", late, "see that the appliance runs, and reaches the service", _CHECK
        )
    elif found.refused:
        yield Finding(
            "copies",
            "note",
            f"{words}; {found.refused} refused: not sealed, or something else has their name there",
            "look who else writes to the spool or to the bucket",
            "appliance captures sync run looks at them again",
        )
    else:
        yield Finding("copies", "ok", words)


_CHECK = "appliance captures sync check"


def _credentials(bucket: S3Settings) -> Iterator[Finding]:
    """Whether the file of credentials is for us alone.

    Raises:
        OSError: It cannot be looked at.
    """
    file = bucket.credentials_file
    if file is not None and file.stat().st_mode & 0o077:
        yield Finding(
            "credentials",
            "problem",
            f"{file} can be read by other users",
            "shut it to all but the account that runs the appliance",
            f"chmod 600 {file}",
        )
    address = urlsplit(bucket.endpoint or "")
    if address.scheme == "http" and address.hostname not in _HERE:
        yield Finding(
            "copies",
            "note",
            "they go over plain HTTP: what is sent is sealed, but anybody on the way may see that it is",
            "give captures.s3.endpoint an https:// address",
        )
