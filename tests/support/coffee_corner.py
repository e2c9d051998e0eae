"""A coffee corner with the real networks: scenes and clips, run through the loop; what counted in them.

The people are enrolled by their faces of the scene itself, so that nobody fails to be recognised: it is the
cups that are looked at here.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.app.coffee_corners import Agreed, CupFinder, coffee_rooms
from appliance.app.detecting import opened_detectors
from appliance.app.parts import LoggedEvents, read_policy
from appliance.app.replaying import SealsNothing
from appliance.camera import SceneSource, recorded_frames
from appliance.camera.scene_coffee import CoffeeScene
from appliance.camera.scene_coffee_script import CoffeeScript, Stop
from appliance.camera.source import Source
from appliance.clock import ManualClock
from appliance.events import CoffeeTaken
from appliance.faces import FaceReader
from appliance.ids import seeded_ids
from appliance.matching import Gallery, Reference
from appliance.models.folder import ModelFolder
from appliance.objects import ObjectDetector
from appliance.pipeline import CameraPipeline, GalleryHolder, Records
from appliance.pipeline.loop import LoopSettings, Rooms
from appliance.services import Layout, Services, open_services
from appliance.settings import CameraSettings, CoffeeSettings, Settings
from appliance.store import LEADERBOARD, Consent
from appliance.values import CameraId, ImageArray, ReferenceId

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
COUNTED = Consent(purposes=("identify", "leaderboard"), text_version="2026-01", given_by="on paper")
CAMERA = "corner"


@dataclass(frozen=True, slots=True)
class Bench:
    """What is opened once for many runs.

    Attributes:
        faces: The networks of the faces.
        detectors: Those that find cups, by name.
        settings: All of them.
    """

    faces: FaceReader
    detectors: dict[str, ObjectDetector]
    settings: Settings


@contextlib.contextmanager
def opened_bench(models: Sequence[str] = ("coco",)) -> Iterator[Bench]:
    """Open the networks.

    Args:
        models: Those that find cups.
    """
    settings = Settings()
    folder = ModelFolder(settings.models.directory)
    policy = read_policy(settings)
    with FaceReader.open(folder, settings.faces, policy.models) as faces:
        found = opened_detectors(folder, (), dict.fromkeys(models, 0.05))
        yield Bench(faces, dict(found), settings)


def coffees(
    bench: Bench,
    source: Source,
    *,
    settings: CoffeeSettings | None = None,
    enrolled: Sequence[str] = ("obama", "astronaut"),
    counted: Sequence[str] | None = None,
    fps: float = 10.0,
) -> list[tuple[float, str]]:
    """Run the loop of one camera over a recording.

    Args:
        bench: Opened.
        source: The recording.
        settings: Of counting; the defaults, before this camera.
        enrolled: People of the scene who are.
        counted: Those of them who agreed to be counted; None: all.
        fps: Frames looked at in a second.

    Returns:
        Second and person of each coffee; `visitor 1` for a visitor.
    """
    chosen = (settings or CoffeeSettings()).model_copy(update={"cameras": (CAMERA,)})
    clock, ids = ManualClock(START), seeded_ids(1)
    whole = bench.settings.model_copy(update={"coffee": chosen})
    with tempfile.TemporaryDirectory() as scratch:
        layout = Layout(Path(scratch))
        with open_services(whole, layout, create=True, clock=clock, ids=ids) as services:
            names = _enrol(bench, services, enrolled, enrolled if counted is None else counted)
            pipeline = _pipeline(bench, services, chosen, names)
            for frame in recorded_frames(source, camera=CameraId(CAMERA), fps=fps, start_wall=START):
                clock.set(wall=frame.stamp.wall, monotonic=frame.stamp.monotonic_s)
                pipeline.process(frame)
            pipeline.finish()
            told = services.store.events(types=["coffee_taken"])
            return [
                (
                    (each.at - START).total_seconds(),
                    names.get(event.subject or "", f"visitor {event.visitor}"),
                )
                for each in told
                if isinstance(event := each.event, CoffeeTaken)
            ]


def scene(script: CoffeeScript, *, seed: int = 0) -> SceneSource:
    """A rendered corner as a recording."""
    return SceneSource(CoffeeScene(script, seed=seed), name="coffee")


def portrait(person: str) -> ImageArray:
    """Somebody of the scene, standing before the camera."""
    return CoffeeScene(CoffeeScript(10.0, (Stop(0.0, person, mug=None),)), seed=9).render(40)


def _enrol(
    bench: Bench, services: Services, enrolled: Sequence[str], counted: Sequence[str]
) -> dict[str, str]:
    """Their names by id."""
    identify = Consent(purposes=("identify",), text_version="2026-01", given_by="on paper")
    return {
        str(services.store.add_subject(name, consent=COUNTED if name in counted else identify).id): name
        for name in enrolled
    }


def _pipeline(
    bench: Bench, services: Services, settings: CoffeeSettings, names: dict[str, str]
) -> CameraPipeline:
    policy = read_policy(bench.settings)
    rows = []
    for subject, name in names.items():
        picture = portrait(name)
        (face,) = bench.faces.detect(picture)
        found = bench.faces.templates(bench.faces.sample(picture, face))
        rows += [
            Reference(subject, ReferenceId(f"{subject}-1"), model, found[model].embedding)  # type: ignore[arg-type]
            for model in policy.models
        ]
    gallery = Gallery(policy.models, rows, version=1)
    records = Records(LoggedEvents(services.store, lambda: None), SealsNothing())
    agreed = Agreed(lambda: services.store.agreed_to(LEADERBOARD))
    finder = CupFinder(bench.detectors[settings.model], settings)
    camera = CameraSettings.model_validate({"id": CAMERA, "source": "scene:coffee", "when": "always"})
    everything = bench.settings
    return CameraPipeline(
        LoopSettings(camera, everything.faces, everything.encounters, everything.evidence),
        Rooms(
            doors={},
            faces=bench.faces,
            policy=policy,
            gallery=GalleryHolder(lambda: gallery, lambda: 1),
            records=records,
            ids=seeded_ids(2),
            coffee=coffee_rooms(settings, services, policy, finder, agreed=agreed),
        ),
    )
