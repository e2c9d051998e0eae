"""`appliance demo`: the whole appliance on a rendered door, coffee corner and table. No camera, no cloud.

Nothing of it is a special case: it writes a settings file, makes an admin's key, enrols two people with
theme songs, makes its rules and imports a small catalogue with the ordinary commands, and runs the ordinary
appliance on the bundled scenes, with its pages. On a terminal it goes on until Ctrl-C, so that there is time
to look at those; elsewhere the scenes are played once.
"""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

import click

from appliance.cli.demo_things import found_told
from appliance.errors import ApplianceError
from appliance.evidence import make_identity
from appliance.services import Layout

_DATA = Path(__file__).parents[2] / "data"
_THINGS: Final = _DATA / "things" / "items.csv"
_PEOPLE = (
    ("Barack Obama", "Barack", "obama.jpg", "three-bells", "Three bells"),
    ("Eileen Collins", "Eileen", "astronaut.jpg", "level-up", "Level up"),
)
"""Name, what the office screen calls them, portrait, theme song of the sounds that ship, and its title."""

_PURPOSES = [
    word for purpose in ("identify", "greet", "leaderboard", "song") for word in ("--purpose", purpose)
]

RULES: Final = (
    {
        "name": "Theme songs",
        "on": "subject_identified",
        "when": {"grade": "greeting", "doors": ["front"]},
        "actions": [{"kind": "song", "song": "theme", "output": "box"}],
    },
    {
        "name": "A coffee is worth a line",
        "on": "coffee_taken",
        "actions": [{"kind": "screen", "text": "Enjoy your coffee, {alias}"}],
    },
    {
        "name": "Video of whoever comes in",
        "on": "door_opened",
        "actions": [{"kind": "record", "seconds": 15}],
    },
    {
        "name": "Video of a cup in somebody's hand",
        "on": "object_seen",
        "when": {"labels": ["cup"]},
        "actions": [{"kind": "record", "seconds": 15}],
    },
)
"""As they are made on the page Rules."""

_HEARD: Final = "heard.wav"

SETTINGS: Final = """\
# The demo's settings; yours look the same. What each key means: appliance check --describe
site = "demo"

[[cameras]]
id = "entrance"
source = "scene:door"          # yours: "/dev/video0", "rtsp://…", "clip.mp4", "folder/"
when = "door"                  # read faces while the door is open

[[doors]]
id = "front"
camera = "entrance"
region = [0.33, 0.05, 0.67, 0.3]   # the upper part of the door and a little wall, in fractions of the picture
seed = [0.45, 0.15]                # a point on the shut door
shut_fraction = 0.92               # how much of the region the shut door fills

[[cameras]]
id = "corner"
source = "scene:coffee"        # a second camera, at the coffee machine
when = "always"

[[cameras]]
id = "table"
source = "scene:things"        # a third one: things are shown to it, one after another
when = "approach"              # faces are looked for twice a second, until one comes
fps = 5
width_px = 640
height_px = 360

[search]
enabled = true                 # what is held still before it is looked up in the catalogue
cameras = ["table"]

[coffee]
cameras = ["corner"]           # a cup with a recognised face, for three seconds, is a coffee

[[objects]]
id = "things"
camera = "corner"              # what is seen there is on the page Moments, and a click plays it
model = "coco"
fps = 2
labels = ["cup"]

[[objects.triggers]]
id = "cup"                     # an event that the rules know
label = "cup"

[audio]
output = "{output}"    # device:default plays aloud; file:NAME writes a WAV file instead

[evidence]
recipients = [{recipient}]     # strangers are sealed to this key

[encounters]
repeat_after_s = 15            # the scene comes round every half minute, and everybody is greeted each time

[screen]
leaderboard = "coffee"         # the two portraits consent to it

[web]
port = {port}                    # the pages; host = "0.0.0.0" lets other machines of your network in

[[actions]]
id = "terminal"
kind = "line"
names = true
on = [
  "door_opened", "door_shut", "subject_identified", "stranger_seen",
  "stranger_captured", "capture_skipped", "stranger_retracted", "person_undecided",
  "coffee_taken", "object_seen", "song_started", "song_skipped", "clip_begun", "clip_ended",
]

[log]
level = "warning"
"""


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=_DATA / "var" / "demo",
    help="Where the demo keeps its things. [default: data/var/demo]",
)
@click.option(
    "--once/--on",
    default=None,
    help="Play the scene once, or until Ctrl-C. [default: until Ctrl-C on a terminal, else once]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8443,
    help="Port of the pages, if this demo is new; 0: any. [default: 8443]",
)
def demo(*, folder: Path, once: bool | None, port: int) -> None:
    """Watch a rendered office door and coffee corner: two people who are enrolled, one who is not.

    Whoever is enrolled hears a theme song, and a coffee is counted; without an audio device the songs are
    written into a file. Things that are shown to a third camera are found in a small catalogue, and one that
    is not in it is not.

    The pages are served meanwhile: open the link that is printed.

    \b
    Examples:
      appliance demo
      appliance demo --once
    """
    if once is None:
        once = not sys.stdout.isatty()
    state, identity, settings = folder / "state", folder / "admin" / "identity.txt", folder / "appliance.toml"
    if not settings.exists():
        _step("an admin's key, kept outside the appliance's state")
        if identity.exists():
            # From a demo that was interrupted before it had settings: nothing is sealed to that key.
            identity.unlink()
        recipient = make_identity(identity)
        filled = SETTINGS.format(recipient=json.dumps(recipient), port=port, output=_output())
        settings.write_text(filled, encoding="utf-8")
        click.echo(f"  private half: {_short(identity)}")
    appliance = [sys.executable, "-m", "appliance", "--settings", str(settings), "--state", str(state)]
    enrolled = _enrolled(appliance) if (state / "appliance.db").exists() else set()
    for name, alias, photo, sound, title in _PEOPLE:
        if name not in enrolled:
            _step(f"enrolling {name} from one public-domain portrait")
            picture = _DATA / "portraits" / "enrol" / photo
            consent = ["--consent", "public-domain portrait, demo only", *_PURPOSES]
            _call([*appliance, "enroll", "add", name, str(picture), *consent])
            _call([*appliance, "enroll", "alias", name, alias])
            _call([*appliance, "songs", "choose", sound])
            _call([*appliance, "songs", "give", name, title])
    _make_rules(appliance, folder)
    if not _read([*appliance, "search", "list", "--json"]).strip():
        _step("a catalogue of eight things, to look up what the third camera is shown")
        _call([*appliance, "search", "import", str(_THINGS), "--no-calibrate"])
    if once:
        _step("the appliance, on a rendered office door, coffee corner and table (a minute; Ctrl-C ends it)")
    else:
        _step("the appliance, on a rendered office door, coffee corner and table (on and on, until Ctrl-C)")
        click.echo("  open the link below; the browser warns, as the certificate was made on this machine")
    with found_told(Layout(state).socket("search")):
        _call([*appliance, "run", *(["--once"] if once else [])])
    _epilogue(appliance, state, identity, settings)


def _output() -> str:
    """Where songs are played: aloud, or into a file of the state where there is nothing to play them with."""
    from appliance.actions.audio_choosing import trouble

    return f"file:{_HEARD}" if trouble("device:default") else "device:default"


def _make_rules(appliance: Sequence[str], folder: Path) -> None:
    """The demo's rules, unless there are some."""
    if _read([*appliance, "rules", "list", "--json"]).strip():
        return
    _step("four rules: a theme song and a clip for whoever comes in, a line for a coffee, a clip of a cup")
    for rule in RULES:
        path = folder / "rule.json"
        path.write_text(json.dumps(rule, indent=1), encoding="utf-8")
        _call([*appliance, "rules", "add", str(path)])
        path.unlink()


def _epilogue(appliance: Sequence[str], state: Path, identity: Path, settings: Path) -> None:
    _step("what is left of it")
    _call([*appliance, "events", "verify"])
    captures = json.loads(_read([*appliance, "captures", "list", "--json"]))
    heard = state / "audio" / _HEARD
    if heard.exists():
        click.echo(f"this machine has no audio device: the theme songs were played into {_short(heard)}")
    program = _short(Path(sys.argv[0]))
    short = f"{program} --settings {_short(settings)} --state {_short(state)}"
    click.echo(f"{len(captures)} sealed capture(s) in the spool; the appliance itself cannot open them")
    clips = json.loads(_read([*appliance, "clips", "list", "--json"]))
    click.echo(
        f"{len(clips)} clip(s) of who came in and of a cup, sealed on the disk; the browser plays them"
    )
    click.secho("\ntry next", bold=True)
    click.echo(f"  {short} events list")
    if captures:
        newest = captures[-1]["capture"]
        click.echo(f"  {short} captures open {newest} --identity {_short(identity)} --out opened")
    if clips:
        click.echo(f"  {short} clips export {clips[0]['clip']} --out clip.mp4")
    cup = _DATA / "things" / "coffee.png"
    click.echo(f"  {short} search query {_short(cup)}")
    click.echo("with your own camera and faces")
    click.echo(f'  {program} enroll add "Your Name" you1.jpg you2.jpg --consent "signed 2026-01-05"')
    click.echo(f"  {program} run --camera /dev/video0      (or rtsp://…, clip.mp4, folder/)")


def _step(text: str) -> None:
    click.secho(f"\n▸ {text}", bold=True)


def _call(command: Sequence[str]) -> None:
    """Run one of our own commands on this terminal.

    Raises:
        ApplianceError: It failed; its own words stand above.
    """
    with subprocess.Popen(list(command)) as process, _passed_on(process):
        code = process.wait()
    if code != 0:
        raise ApplianceError(
            f"the demo ended because this failed: appliance {' '.join(command[3:])}",
            hint="its own message stands above; appliance doctor looks at everything",
        )


@contextlib.contextmanager
def _passed_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """What ends us ends the command first, in good order; what comes after it is still said."""

    def end(_: int, __: FrameType | None) -> None:
        process.terminate()

    def typed(_: int, __: FrameType | None) -> None:
        """Ctrl-C reaches the command by itself: the terminal tells everybody on it."""

    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, end)}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, typed)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _read(command: Sequence[str]) -> str:
    done = subprocess.run(list(command), check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def _enrolled(appliance: Sequence[str]) -> set[str]:
    return {person["name"] for person in json.loads(_read([*appliance, "enroll", "list", "--json"]))}


def _short(path: Path) -> str:
    """Relative to here where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
