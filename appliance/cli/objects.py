"""`appliance objects …`: what the networks see in a picture, a clip or a camera, and what they know."""

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from appliance.cli.context import Context
from appliance.cli.door_choice import live_camera
from appliance.cli.files import make_folder, write_private
from appliance.cli.parameters import Finite
from appliance.errors import InputError, SettingsError
from appliance.settings import ObjectsSettings
from appliance.settings.wording import in_words

if TYPE_CHECKING:
    from appliance.values import Frame, ObjectsReading

_MODELS = ("voc", "coco", "yolox")
_PICTURES = {".jpg", ".jpeg"}


@click.group()
def objects() -> None:
    """Things in frames: try out what is seen, list what can be.

    \b
    Examples:
      appliance objects watch --picture desk.jpg --model coco --draw seen.jpg
      appliance objects watch --clip day.mp4 --label dog
      appliance objects watch --camera entrance
      appliance objects models coco
    """


@objects.command("watch")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="A JPEG, PNG or WebP file.")
@click.option("--clip", metavar="SOURCE", help="A recording: a video file, a folder of pictures.")
@click.option("--camera", metavar="ID", help="A camera of the settings, live. [default: the first]")
@click.option("--model", type=click.Choice(_MODELS), help="[default: that of the settings, or voc]")
@click.option("--label", "labels", multiple=True, help="Only these; may be given several times.")
@click.option("--threshold", type=Finite(0.05, 1), help="How certain a thing must be.")
@click.option("--fps", type=Finite(0.1, 60), help="Frames a second that are looked at.")
@click.option(
    "--triggers", "only_triggers", is_flag=True, help="Only the frames in which a trigger goes off."
)
@click.option(
    "--draw",
    type=click.Path(path_type=Path),
    help="Where boxes are drawn: a .jpg for a picture; else a folder, a JPEG per frame with things in it.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; the last is the summary.")
@click.pass_obj
def watch(
    context: Context,
    /,
    *,
    picture: Path | None,
    clip: str | None,
    camera: str | None,
    only_triggers: bool,
    draw: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Print what is seen in each frame, with percentages, and which triggers go off.

    Looks as the loop would: with the regions, thresholds and triggers of the [[objects]] of that
    camera in the settings, or, for a picture or a clip, of the first one. What is given here goes before
    them. Live until Ctrl-C.

    \b
    Examples:
      appliance objects watch --picture desk.jpg --model coco
      appliance objects watch --clip day.mp4 --triggers --json
      appliance objects watch --camera entrance --draw seen
    """
    from appliance.app import object_trials
    from appliance.app.object_labels import label_faults
    from appliance.models.folder import ModelFolder

    if sum(each is not None for each in (picture, clip, camera)) > 1:
        raise SettingsError("give one of --picture, --clip and --camera", hint="only one is looked at")
    chosen = _chosen(context, camera, {key: value for key, value in given.items() if value not in {None, ()}})
    for _, _, words, hint in label_faults((chosen,)):
        raise SettingsError(words, hint=hint)
    stop = threading.Event()
    frames = _frames(context, picture, clip, chosen, stop)
    _ready_to_draw(draw, single=picture is not None)
    told = _Told(as_json=as_json, only_triggers=only_triggers)
    try:
        for frame, reading in object_trials.looked_at(
            frames, chosen, ModelFolder(context.settings.models.directory)
        ):
            told.frame(frame, reading)
            if draw is not None and (reading.things or picture is not None):
                place = draw if picture is not None else draw / f"{frame.stamp.sequence:06}.jpg"
                write_private(place, object_trials.drawn(frame, reading))
    except KeyboardInterrupt:
        stop.set()
    told.end(chosen.model)


@objects.command("models")
@click.argument("name", required=False, type=click.Choice(_MODELS), metavar="[NAME]")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def models(context: Context, *, name: str | None, as_json: bool) -> None:
    """List the networks, whether they are installed, and with NAME (voc, coco, yolox) what one knows."""
    from appliance.app.object_labels import MODELS, object_model
    from appliance.models.folder import ModelFolder, State

    folder = ModelFolder(context.settings.models.directory)
    states = {finding.model.id: finding.state for finding in folder.verify()}
    rows = []
    for each in (name,) if name is not None else _MODELS:
        model = object_model(each, folder.manifest)
        first = model.output.first_label
        labels = {number: label for number, label in enumerate(model.output.labels, first) if label}
        rows.append(
            {
                "name": each,
                "model": model.id,
                "state": states[MODELS[each]].value,
                "licence": model.licence,
                "side_px": model.input.width_px,
                "labels": labels,
            }
        )
        if as_json:
            continue
        state = rows[-1]["state"]
        mend = "" if state == State.GOOD else f"; get it with: appliance models install {model.id}"
        click.echo(f"{each:<6} {len(labels):>3} labels  {model.id:<11} {state}{mend}")
        if name is not None:
            for number, label in labels.items():
                click.echo(f"  {number:>3}  {label}")
    if as_json:
        click.echo(json.dumps(rows, indent=1))


def _chosen(context: Context, camera: str | None, given: dict[str, Any]) -> ObjectsSettings:
    """What is looked for: as the settings have it, with what was given on the command line.

    Raises:
        SettingsError: It cannot be.
    """
    watches = context.settings.objects
    found = next((each for each in watches if camera in {None, each.camera}), None)
    first = context.settings.cameras[0].id if context.settings.cameras else "camera"
    begun: dict[str, Any] = {"id": "watch", "camera": camera or first}
    if found is not None:
        begun = found.model_dump()
        if given.get("model") not in {None, found.model}:
            # Labels are one model's words; another has others.
            begun = {"id": found.id, "camera": found.camera, "fps": found.fps, "threshold": found.threshold}
    if "threshold" in given:
        begun.pop("thresholds", None)
    try:
        return ObjectsSettings.model_validate({**begun, **given})
    except ValidationError as error:
        fault = in_words(error.errors(include_input=False)[0], ObjectsSettings)
        raise SettingsError(f"this cannot be looked for: {fault}") from None


def _frames(
    context: Context, picture: Path | None, clip: str | None, watch: ObjectsSettings, stop: threading.Event
) -> "Iterable[Frame]":
    from appliance.app import doors, object_trials

    if picture is not None:
        return [object_trials.still(picture)]
    if clip is not None:
        return doors.clip_frames(clip, max(1.0, watch.fps))
    return doors.live_frames(live_camera(context, watch.camera), stop)


def _ready_to_draw(draw: Path | None, *, single: bool) -> None:
    """Refuse what cannot be drawn to before anything is looked at.

    Raises:
        InputError: It cannot.
    """
    if draw is None:
        return
    if single:
        if draw.suffix.lower() not in _PICTURES:
            raise InputError(f"{draw} is not named .jpg")
        return
    if draw.suffix.lower() in _PICTURES:
        raise InputError(
            f"{draw} is the name of one picture", hint="of a clip or a camera many are drawn: name a folder"
        )
    make_folder(draw)


class _Told:
    """What is printed of the frames, and what is counted for the end."""

    def __init__(self, *, as_json: bool, only_triggers: bool) -> None:
        self._json = as_json
        self._only_triggers = only_triggers
        self._frames = 0
        self._seen: Counter[str] = Counter()
        self._best: dict[str, float] = {}
        self._tracks: dict[str, set[int]] = {}

    def frame(self, frame: "Frame", reading: "ObjectsReading") -> None:
        """One frame that was looked at."""
        self._frames += 1
        self._seen.update({each.label for each in reading.things})
        for each in reading.things:
            self._best[each.label] = max(self._best.get(each.label, 0.0), each.thing.score)
            self._tracks.setdefault(each.label, set()).add(each.track)
        if (self._only_triggers and not reading.alarms) or not (reading.things or self._json):
            return
        at_s = frame.stamp.media_s if frame.stamp.media_s is not None else frame.stamp.monotonic_s
        click.echo(json.dumps(_row(at_s, reading)) if self._json else "\n".join(_lines(at_s, reading)))

    def end(self, model: str) -> None:
        """What there was in all."""
        rows = [
            {
                "label": label,
                "share": round(count / self._frames, 4),
                "best": round(self._best[label], 4),
                "tracks": len(self._tracks[label]),
            }
            for label, count in self._seen.most_common()
        ]
        if self._json:
            click.echo(json.dumps({"summary": {"model": model, "frames": self._frames, "labels": rows}}))
            return
        found = ", ".join(f"{r['label']} in {r['share']:.0%}, at best {r['best']:.0%}" for r in rows)
        click.echo(f"{self._frames} frame(s) looked at by {model}: {found or 'nothing seen'}", err=True)


def _row(at_s: float, reading: "ObjectsReading") -> dict[str, Any]:
    return {
        "t_s": round(at_s, 3),
        "objects": [
            {
                "label": each.thing.label,
                "label_id": each.thing.label_id,
                "score": round(each.thing.score, 4),
                "track": each.track,
                "track_label": each.label,
                "box": [round(value, 1) for value in each.thing.box.corners],
            }
            for each in reading.things
        ],
        "triggers": [
            {"trigger": each.trigger, "track": each.tracked.track, "dwell_s": round(each.dwell_s, 3)}
            for each in reading.alarms
        ],
    }


def _lines(at_s: float, reading: "ObjectsReading") -> Iterator[str]:
    seen = ", ".join(f"{each.label} {each.thing.score:.0%} #{each.track}" for each in reading.things)
    yield f"{at_s:8.2f} s  {seen}"
    for each in reading.alarms:
        what = f"{each.tracked.label} #{each.tracked.track}, there {each.dwell_s:.1f} s"
        yield f"{'':>10}  trigger {each.trigger}: {what}"
