"""`appliance replay`: what would the loop say of this recording?"""

import contextlib
import sys
import tempfile
from datetime import UTC
from pathlib import Path

import click

from appliance.cli.context import Context, with_camera
from appliance.cli.rows import event_json
from appliance.dispatch.wording import line
from appliance.settings import When
from appliance.store import StoredEvent

_CLEAR = "\r\x1b[K"
"""Takes the line of progress away, so that the next line stands by itself."""


@click.command()
@click.argument("clip")
@click.option("--when", type=click.Choice([each.value for each in When]), help="When faces are read.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the replay's state (log, captures) in this empty folder.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def replay(context: Context, *, clip: str, when: str | None, keep: Path | None, as_json: bool) -> None:
    """Run the whole loop on CLIP (a video file, a folder of pictures, scene:door).

    Events are printed as they are logged; Ctrl-C ends it, and what was printed stands.
    Uses the gallery of the state directory and writes nothing into it. The same clip with the
    same gallery gives the same log every time; with --keep, strangers are sealed, too, and
    what depends on the random bits of sealing differs. Its time begins on 2026-01-01, 00:00 UTC,
    whenever it is run.

    \b
    Examples:
      appliance replay clip.mp4 --when always
      appliance replay scene:door --json
    """
    from appliance.app.replaying import replay as run_replay

    context.log_as("replay")
    settings = with_camera(context.settings, clip, when)
    names: dict[str, str | None] = {}
    with contextlib.ExitStack() as stack:
        scratch = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="appliance-replay-")))
        origin = None
        if context.layout.database.exists() or context.settings.store.url is not None:
            origin = stack.enter_context(context.services())
            names = {str(subject.id): subject.name for subject in origin.store.subjects()}

        def happened(stored: StoredEvent) -> None:
            if sys.stderr.isatty():
                click.echo(_CLEAR, nl=False, err=True)
            if stored.event is not None:
                click.echo(event_json(stored) if as_json else line(stored.event, stored.at, names.get, UTC))

        done = run_replay(settings, origin, scratch, seals=keep is not None, tell=_tell, happened=happened)
    if sys.stderr.isatty():
        click.echo(_CLEAR, nl=False, err=True)
    click.echo(f"{done.frames} frames, {done.damaged} damaged, {len(done.events)} events", err=True)


def _tell(frames: int) -> None:
    """Progress for whoever waits at a terminal."""
    if frames % 10 == 0 and sys.stderr.isatty():
        click.echo(f"\rreplaying: {frames} frames", nl=False, err=True)
