"""Do people who walk through the picture get their own name, and never another's?

Photographs of Labeled Faces in the Wild (`testdata/faces/lfw_subset_100x4.tar` in the folder that
APPLIANCE_TEST_MATERIAL names): 60 people are enrolled with two photographs each; the other two of theirs
and all four of 40 impostors walk through made-up video (1280 x 720, 10 frames a second), up to four at
once, nearer and farther, dim and bright, blurred, turned, with noise and JPEG's faults. Every frame goes
through the loop with the default settings. Prints the outcomes at every grade with intervals and versions.
No seconds are measured.

    python tests/benchmarks/measure_encounters.py [--encounters 2000] [--seed 0] [--jobs 2] [--json]

With `--folder`, parts that are done are kept there, and a later call goes on from them. Ctrl-C shows what
there is by then.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import pickle
import platform
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests" / "support"
sys.path.insert(0, str(SUPPORT))

import structlog  # noqa: E402 - what follows needs the folder above
from encounters import Entrance, Shift  # noqa: E402
from encounters_enrolment import SETTINGS, Enrolled, enrol, own_models  # noqa: E402
from encounters_figures import summary, table  # noqa: E402
from encounters_people import ARCHIVE, Person, lfw_people  # noqa: E402
from encounters_plan import Scene, plan  # noqa: E402

from appliance.app.embedding import open_photo_reader  # noqa: E402

PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "dlib-bin")
SCENES = 20
"""Scenes in a part of the run."""

Part = tuple[int, Sequence[Scene]]


class _Worker:
    """One process with a box of its own, opened when the process begins."""

    entrance: Entrance
    stack: ExitStack


def _begin(enrolled: Enrolled, folder: Path) -> None:
    # Ctrl-C is the first process's business; it shows what is done, and ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    _Worker.stack = ExitStack()
    own = Entrance.opened(enrolled, folder / f"worker-{os.getpid()}")
    _Worker.entrance = _Worker.stack.enter_context(own)


def _work(part: Part) -> tuple[int, Shift]:
    number, scenes = part
    return number, _Worker.entrance.watch(scenes, number)


def measure(
    arguments: argparse.Namespace, people: Sequence[Person], folder: Path
) -> tuple[Enrolled, list[Shift]]:
    """Enrol, then look at all scenes; on Ctrl-C, what there is so far."""
    with own_models(folder / "models") as models, open_photo_reader(SETTINGS) as reader:
        enrolled = enrol(people, folder, models, reader)
    scenes = plan(enrolled.people, arguments.encounters, arguments.seed)
    parts = [(i, scenes[at : at + SCENES]) for i, at in enumerate(range(0, len(scenes), SCENES))]
    kept = Kept(arguments.folder, _fingerprint(arguments))
    done = {number: shift for number, _ in parts if (shift := kept.get(number)) is not None}
    try:
        for number, shift in _run(arguments.jobs, enrolled, folder, [p for p in parts if p[0] not in done]):
            done[number] = shift
            kept.put(number, shift)
            _progress(sum(len(s.seen) for s in done.values()), arguments.encounters)
    except KeyboardInterrupt:
        print("\nstopped; the figures are of the part that was done", file=sys.stderr)
    return enrolled, [done[number] for number in sorted(done)]


@dataclass(frozen=True)
class Kept:
    """Parts that are done, in a folder.

    Attributes:
        folder: Where; None keeps nothing.
        key: Of this run and this program.
    """

    folder: Path | None
    key: str

    def get(self, number: int) -> Shift | None:
        """A part, if it is there."""
        if self.folder is None or not (file := self._file(self.folder, number)).is_file():
            return None
        shift: Shift = pickle.loads(file.read_bytes())  # noqa: S301 - written by this script
        return shift

    def put(self, number: int, shift: Shift) -> None:
        """Keep a part."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file(self.folder, number).write_bytes(pickle.dumps(shift))

    def _file(self, folder: Path, number: int) -> Path:
        return folder / f"{self.key}-{number:04}.pickle"


def _run(jobs: int, enrolled: Enrolled, folder: Path, parts: Sequence[Part]) -> Iterator[tuple[int, Shift]]:
    """The parts as they are done."""
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, spawn, _begin, (enrolled, folder))
    try:
        for future in as_completed([pool.submit(_work, part) for part in parts]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _progress(done: int, wanted: int) -> None:
    bar = "#" * (40 * done // wanted)
    print(
        f"\r[{bar:40}] {done}/{wanted} encounters",
        end="" if done < wanted else "\n",
        file=sys.stderr,
        flush=True,
    )


def _fingerprint(arguments: argparse.Namespace) -> str:
    """Of the run and of every program file it depends on: parts of another program are not taken up."""
    digest = hashlib.sha256(f"{arguments.encounters} {arguments.seed} {SCENES}".encode())
    files = sorted(
        [*(ROOT / "appliance").rglob("*.py"), *SUPPORT.glob("encounters*.py"), ROOT / "data/score-tails.json"]
    )
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def main() -> None:
    """As a script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encounters", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--folder", type=Path, help="keep parts that are done, and go on from them")
    parser.add_argument("--json", action="store_true", help="everything as one JSON object")
    arguments = parser.parse_args()
    material = os.environ.get("APPLIANCE_TEST_MATERIAL")
    if not material or not (archive := Path(material) / ARCHIVE).is_file():
        parser.error(f"APPLIANCE_TEST_MATERIAL must name a folder with {ARCHIVE}")
    # Also where the shell that started it in the background has Ctrl-C ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    people = lfw_people(archive, seed=arguments.seed)
    with tempfile.TemporaryDirectory(prefix="encounters-") as folder:
        enrolled, shifts = measure(arguments, people, Path(folder))
    found = summary(enrolled, shifts, arguments.seed)
    versions = {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}
    if arguments.json:
        json.dump({"versions": versions, **found}, sys.stdout, indent=1)
        print()
        return
    print(", ".join(f"{key} {value}" for key, value in {"machine": platform.machine(), **versions}.items()))
    for key in (
        "seed",
        "encounters",
        "people",
        "enrolment",
        "frames",
        "faces_of_nobody",
        "tracking",
        "what_if",
    ):
        print(f"{key}: {found[key]}")
    print(f"\n{table(found)}\n")
    for name, rate in found["rates"].items():  # type: ignore[attr-defined]
        print(f"{name:20} {rate['words']}")
    for wrong in found["wrong"]:  # type: ignore[attr-defined]
        print(f"WRONG NAME: {wrong}")


if __name__ == "__main__":
    main()
