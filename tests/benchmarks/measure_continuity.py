"""How well do faces tell that somebody else has stepped into a track? For `appliance/decision/continuity.py`.

People of Labeled Faces in the Wild walk through made-up video (see `measure_encounters.py`; nobody is
enrolled). Each good frame is held against what an encounter knows of the same person by then, and so are
frames of other people. With `--clip`, the tracks of a filmed crowd are, too, on which nobody changes place.
Prints which share is found unlike, by each model alone and by both of the fused composition, and what the
whole rule does with the tracks. No seconds are measured.

    python tests/benchmarks/measure_continuity.py [--encounters 200] [--seeds 31 32] [--clip]
"""

import argparse
import functools
import os
import platform
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import av
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from encounters import whose
from encounters_enrolment import SETTINGS
from encounters_frames import Painter, Present
from encounters_people import ARCHIVE, cut_figure, lfw_people
from encounters_plan import FPS, plan

from appliance.app.embedding import open_photo_reader
from appliance.decision.continuity import UNLIKE, same_face
from appliance.decision.rule import WEIGHTS
from appliance.faces import FaceReader
from appliance.tracking import FaceTracker
from appliance.values import ImageArray, Templates

CLIP = Path("testdata/videos/facenet_pytorch_video.mp4")
KEPT = SETTINGS.encounters.keep_frames
PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "dlib-bin")


@dataclass(frozen=True)
class Look:
    """A good frame of a face: whose it is in truth, its quality and its templates."""

    walk: int
    person: int
    quality: float
    templates: Templates


class Watching:
    """Follows and embeds the faces of pictures.

    Args:
        reader: Finds, judges and embeds.
    """

    def __init__(self, reader: FaceReader) -> None:
        self._reader = reader
        self._tracker = FaceTracker(SETTINGS.encounters.end_after_s)
        self.tracks: dict[int, list[Look]] = defaultdict(list)

    def see(
        self, bgr: ImageArray, at_s: float, present: Sequence[Present] | None, who: Mapping[int, int]
    ) -> None:
        """One frame; where the truth is not given, a track shows one person."""
        faces = self._reader.detect(bgr)
        for face, track in zip(faces, self._tracker.update(faces, at_s), strict=True):
            walk = track.number if present is None else whose(face.box, present)
            if face.box.width < SETTINGS.faces.min_width_px:
                continue
            sample = self._reader.sample(bgr, face)
            if sample.quality.total < SETTINGS.faces.min_quality:
                continue
            templates = self._reader.templates(sample)
            self.tracks[track.number].append(Look(walk, who.get(walk, walk), sample.quality.total, templates))


def made_up(material: Path, encounters: int, seed: int, reader: FaceReader) -> Iterator[list[Look]]:
    """The tracks of made-up encounters, of which everybody is shown by two photographs at least."""
    people = tuple(
        replace(one, shown=one.offered[2:]) if one.mated else one
        for one in lfw_people(material / ARCHIVE, seed=seed)
    )
    painter = Painter(functools.cache(lambda who, photo: cut_figure(people[who].shown[photo], reader)))
    for number, scene in enumerate(plan(people, encounters, seed)):
        watching = Watching(reader)
        who = {walk.number: walk.person for walk in scene.walks}
        for i, drawn in enumerate(painter.frames(scene)):
            watching.see(drawn.bgr, i / FPS, drawn.present, who)
        yield from watching.tracks.values()
        print(f"\rseed {seed}: scene {number + 1}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def filmed(clip: Path, reader: FaceReader) -> list[list[Look]]:
    """The tracks of a clip."""
    watching = Watching(reader)
    with av.open(str(clip)) as container:
        for decoded in container.decode(video=0):
            watching.see(decoded.to_ndarray(format="bgr24"), float(decoded.time or 0), None, {})
    return list(watching.tracks.values())


def against_earlier(tracks: Iterable[list[Look]]) -> Iterator[tuple[Look, list[Templates]]]:
    """Each frame of somebody but the first, with what an encounter knows of their face by then."""
    walks: dict[int, list[Look]] = defaultdict(list)
    for looks in tracks:
        for look in looks:
            walks[look.walk].append(look)
    for looks in walks.values():
        for i in range(1, len(looks)):
            yield looks[i], known(looks[:i])


def known(looks: Sequence[Look]) -> list[Templates]:
    """What an encounter knows of a face: the best frames, of equals the earlier, and the latest."""
    best = sorted(looks, key=lambda look: -look.quality)[:KEPT]
    return [look.templates for look in [*best, looks[-1]]]


def against_others(tracks: Sequence[list[Look]], seed: int) -> Iterator[tuple[Look, list[Templates]]]:
    """The same knowledge, with frames of other people, four to each."""
    rng = np.random.default_rng([seed, 7])
    everything = [look for looks in tracks for look in looks]
    for look, before in against_earlier(tracks):
        others = (everything[int(i)] for i in rng.integers(len(everything), size=4))
        yield from ((other, before) for other in others if other.person != look.person)


def shares(pairs: Iterable[tuple[Look, list[Templates]]]) -> str:
    """Which share is found unlike, for people."""
    ways = {**{model: [model] for model in UNLIKE}, "fused": sorted(WEIGHTS["fused"])}
    unlike, count = Counter[str](), 0
    for look, before in pairs:
        count += 1
        unlike.update(way for way, models in ways.items() if not same_face(look.templates, before, models))
    return f"of {count}: " + ", ".join(f"{way} {unlike[way] / max(count, 1):.2%}" for way in ways)


def split(tracks: Iterable[list[Look]]) -> Counter[str]:
    """What the fused rule does with tracks: two frames running that are unlike what is known, and alike."""
    found: Counter[str] = Counter()
    models = sorted(WEIGHTS["fused"])
    for looks in tracks:
        found["tracks"] += 1
        found["that show several"] += len({look.walk for look in looks}) > 1
        own: list[Look] = []
        held: Look | None = None
        for look in looks:
            if not own or same_face(look.templates, known(own), models):
                own, held = [*own, look], None
            elif held is not None and same_face(look.templates, [held.templates], models):
                same = Counter(each.walk for each in own).most_common(1)[0][0] == look.walk
                found["one person split" if same else "two people told apart"] += 1
                own, held = [held, look], None
            else:
                found["frames held back"] += 1
                held = look
        found["held back at the end"] += held is not None
    return found


def main() -> None:
    """As a script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encounters", type=int, default=200, help="for each seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[31, 32])
    parser.add_argument("--clip", action="store_true", help="a filmed crowd, too")
    arguments = parser.parse_args()
    folder = os.environ.get("APPLIANCE_TEST_MATERIAL")
    if not folder or not (Path(folder) / ARCHIVE).is_file():
        parser.error(f"APPLIANCE_TEST_MATERIAL must name a folder with {ARCHIVE}")
    versions = {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}
    print(", ".join(f"{key} {value}" for key, value in {"machine": platform.machine(), **versions}.items()))
    print("limits:", dict(UNLIKE))
    with open_photo_reader(SETTINGS) as reader:
        for seed in arguments.seeds:
            tracks = list(made_up(Path(folder), arguments.encounters, seed, reader))
            print(f"seed {seed}: {arguments.encounters} encounters, {sum(map(len, tracks))} good frames")
            print("  unlike, the same person", shares(against_earlier(tracks)))
            print("  unlike, somebody else  ", shares(against_others(tracks, seed)))
            print("  tracks:", dict(split(tracks)))
        if arguments.clip:
            tracks = filmed(Path(folder) / CLIP, reader)
            print(f"filmed: {len(tracks)} tracks, {sum(map(len, tracks))} good frames")
            print("  unlike, the same person", shares(against_earlier(tracks)))
            print("  tracks:", dict(split(tracks)))


if __name__ == "__main__":
    main()
