"""`appliance captures pull` and `sheet`: on the admin's machine, fetch what is new, open it, look at it."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import click

from appliance.cli.captures_progress import Meter
from appliance.errors import IdentityError, PhotoError, RetrievalError
from appliance.evidence.contact_sheet import SheetEntry, contact_sheet, read_entry
from appliance.evidence.identity import Identity, load_identities
from appliance.evidence.pull import Pull, PullReport, disk_here
from appliance.evidence.pulled_folder import PulledFolder
from appliance.evidence.pulled_heads import HEADS_NAME
from appliance.evidence.sftp import SftpSession
from appliance.evidence.sftp_target import ACCOUNT, Target

_OWN_KEYS = ("id_ed25519", "id_rsa")
_ON_SHEET = 500
"""Captures on a contact sheet: some 10 MB, which a browser opens at once."""
_FACE_PX = 240
_FRAME_PX = 400
_QUALITY = 78
_TALLEST = 20
"""Times as tall as wide: no camera gives such a picture, and a JPEG has an end."""

folder_option = click.option(
    "--into",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder for pictures, sealed files and the contact sheet.",
)


@click.command("pull")
@click.argument("host", metavar="HOST[:PORT]")
@folder_option
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your SSH key: signs in and opens. [default: ~/.ssh/id_ed25519 or id_rsa]",
)
@click.option(
    "--identity",
    "identities",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another private key to open with, SSH or age, instead of --key; may be repeated.",
)
@click.option("--account", default=ACCOUNT, show_default=True, help="The account on the box.")
@click.option(
    "--ssh-config",
    "config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An ssh_config for this connection. [default: yours]",
)
@click.option("--sealed", is_flag=True, help="Only fetch and verify; open nothing.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def pull(
    *,
    host: str,
    into: Path,
    key: Path | None,
    identities: tuple[Path, ...],
    account: str,
    config: Path | None,
    sealed: bool,
    as_json: bool,
) -> None:
    """Fetch new captures from the box HOST, verify, open them, and make a contact sheet.

    Run it on the admin's machine; it needs no appliance there, only your key. What was fetched once is not
    fetched again; what was cut is resumed. Nothing on the box is changed. Ends with exit code 8 if something
    was damaged, the rest being fetched.

    \b
    Examples:
      appliance captures pull door.example.org --into captures
      appliance captures pull door.example.org:2222 --into captures --key ~/.ssh/work_ed25519
      appliance captures pull door.example.org --into captures --identity age-key.txt
    """
    key = key or _own_key()
    target = Target.parse(host, account=account, key=key, config=config)
    found: list[Identity] = []
    if not sealed:
        opening = identities or ((key,) if key is not None else ())
        if not opening:
            raise IdentityError(
                "there is no private key to open captures with",
                hint="name yours with --key or --identity, or fetch without opening: --sealed",
            )
        found = [identity for each in opening for identity in load_identities(each, _ask)]
    with PulledFolder(into) as folder:
        may_ask = sys.stdin.isatty()
        meter = Meter(sys.stderr)
        run = Pull(
            lambda: SftpSession(target, folder.arriving, may_ask=may_ask), folder, found, _thumbnails, meter
        )
        failed: RetrievalError | None = None
        with meter.watching(run.arriving):
            try:
                run.run()
            except RetrievalError as error:
                failed = error
        if not sealed and (failed is None or run.report.opened):
            try:
                write_sheet(folder)
            except RetrievalError as error:
                click.echo(f"the contact sheet was not made: {error.message}", err=True)
                failed = failed or error
        if failed is None or run.report.fetched or run.report.opened:
            _say(run.report, folder, as_json=as_json)
    if failed is not None:
        raise failed
    _end(run.report)


@click.command("sheet")
@folder_option
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="From this day on.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Up to this day, with it.")
def sheet(*, into: Path, since: datetime | None, until: datetime | None) -> None:
    """Make the contact sheet of a folder anew: the newest 500, or of the days named.

    \b
    Examples:
      appliance captures sheet --into captures
      appliance captures sheet --into captures --since 2026-01-05 --until 2026-01-11
    """
    with PulledFolder(into) as folder:
        count = write_sheet(folder, since, until)
        click.echo(f"{count} capture(s) on {folder.sheet}")


def write_sheet(folder: PulledFolder, since: datetime | None = None, until: datetime | None = None) -> int:
    """Make the contact sheet from what was opened; how many captures are on it.

    Raises:
        RetrievalError: The folder cannot be read or written; the sheet that was there stays.
    """
    with disk_here():
        return _write_sheet(folder, since, until)


def _write_sheet(folder: PulledFolder, since: datetime | None, until: datetime | None) -> int:
    entries: list[SheetEntry] = []
    total = 0
    pictures = folder.pictures
    pictures.drop_thumbnails()
    for capture in pictures.list():
        total += 1
        day = _day(capture)
        if len(entries) >= _ON_SHEET or (since and day < since.date()) or (until and day > until.date()):
            continue
        size = pictures.size_bytes(capture)
        face, frame = pictures.thumbnail(capture, "face"), pictures.thumbnail(capture, "frame")
        entries.append(read_entry(capture, pictures.metadata(capture), size, face, frame))
    folder.write_sheet(contact_sheet(entries, total=total, made_at=datetime.now(UTC), zone=None))
    return len(entries)


def _day(capture: str) -> date:
    """The day, here, on which a capture was sealed: a UUIDv7 begins with the milliseconds."""
    try:
        return datetime.fromtimestamp(int(capture.replace("-", "")[:12], 16) / 1000, UTC).astimezone().date()
    except (ValueError, OverflowError, OSError):
        return date.min


def _thumbnails(contents: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Small copies of the best face and its frame; of what does not decode, or is no camera's, none."""
    from appliance.camera.jpeg import encode_jpeg, shrunk
    from appliance.faces.photo import decode_photo

    made: dict[str, bytes] = {}
    for name, width in (("face", _FACE_PX), ("frame", _FRAME_PX)):
        content = contents.get(f"{name}-1.jpg")
        if content is None:
            continue
        try:
            picture = shrunk(decode_photo(content), width)
        except PhotoError:
            continue
        if picture.shape[0] <= _TALLEST * picture.shape[1]:
            made[name] = encode_jpeg(picture, _QUALITY)
    return made


def _say(report: PullReport, folder: PulledFolder, *, as_json: bool) -> None:
    """What was done; what went wrong is `_end`'s."""
    if as_json:
        click.echo(json.dumps({"into": str(folder.path), **asdict(report)}, indent=1))
        return
    if not report.fetched and not report.opened:
        click.echo(f"nothing new: {report.on_box:,} capture(s) on the box")
    else:
        click.echo(f"{len(report.fetched):,} new of {report.on_box:,} fetched, {len(report.opened):,} opened")
    if report.gone:
        click.echo(f"{len(report.gone)} went on the box meanwhile")
    if folder.sheet.exists():
        click.echo(f"contact sheet: {folder.sheet}")
    for what, ids in (
        ("damaged, and not kept", report.damaged),
        ("changed on the box since it was fetched; what is here was kept", report.changed),
        ("may not be read by this account", report.refused),
        ("not sealed to your key; kept sealed", report.unopened),
    ):
        for capture in ids:
            click.echo(f"{capture}: {what}", err=True)
    if report.bad_lines:
        click.echo(f"{report.bad_lines} damaged line(s) in the box's index", err=True)
    if report.heads_full:
        click.echo(
            f"{folder.path / HEADS_NAME} is full, and the box has more of it: more than it signs in years. "
            "Keep the file elsewhere and take it out of here; look who writes to the box's spool",
            err=True,
        )


def _end(report: PullReport) -> None:
    """End with the error that what went wrong deserves.

    Raises:
        RetrievalError: Something was damaged, changed or refused.
        IdentityError: Nothing worse than captures that are not for this key.
    """
    faults = len(report.damaged) + len(report.changed) + len(report.refused)
    if faults or report.bad_lines:
        what = [f"{faults} capture(s)"] if faults else []
        what += ["the index"] if report.bad_lines else []
        raise RetrievalError(
            f"{' and '.join(what)} on the box cannot be relied on; the others were fetched",
            fault="damaged",
            hint="look at the box: its log names the hash of every capture, and its index is mended "
            "within ten minutes",
            command="on the box: appliance events list",
        )
    if report.unopened:
        raise IdentityError(
            f"{len(report.unopened)} capture(s) were not sealed to your key",
            hint="whom a capture was sealed to stands in its event on the box; with the right key "
            "(--identity) they are opened by the next call",
        )


def _own_key() -> Path | None:
    """The admin's own SSH key of a kind that opens, if there is one."""
    candidates = (Path.home() / ".ssh" / name for name in _OWN_KEYS)
    return next((path for path in candidates if path.is_file()), None)


def _ask(name: str) -> str:
    """Ask for the passphrase of a key on the terminal."""
    if not sys.stdin.isatty():
        raise IdentityError("the key needs a passphrase, and there is no terminal to ask on")
    return str(click.prompt(f"passphrase of {name}", hide_input=True, err=True))
