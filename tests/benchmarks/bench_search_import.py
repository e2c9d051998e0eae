"""An import into the catalogue with the real network: pictures a second on two cores, and processor time.

What the command does is done with rendered items, 640 x 480 JPEGs of shop quality, into an empty catalogue,
with a models process of its own; the time from the first row to the last is taken, so that loading does not
count, and the processor time of both processes. On two cores that do nothing else a picture may take 40 ms of
processor time in all, provided that both are kept busy: the same pictures one after the other, by one worker,
tell what doing several at once is worth here.

    python tests/benchmarks/bench_search_import.py [--json]
"""

import csv
import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import bench_rows
import cv2
from bench_rows import Row, limit, main

from appliance.app.catalogue_import import WORKERS, CatalogueImport
from appliance.app.catalogue_import_models import ImportModels
from appliance.app.catalogue_import_report import ImportReport
from appliance.app.catalogue_import_table import read_table
from appliance.app.catalogue_pictures import FolderPictures
from appliance.app.embedding import models_socket
from appliance.cli.context import Context
from appliance.services import Layout, open_services
from appliance.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from search_items import rendered

MANY = 300
CORES = 2
GOAL_MS = 40.0
"""Of processor time for a picture: fifty a second on two cores."""


def table(folder: Path) -> Path:
    """The items and their pictures."""
    with (folder / "items.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "title", "pictures"])
        for at, thing in enumerate(rendered(MANY)):
            shown = cv2.resize(thing.bgr, (640, 480), interpolation=cv2.INTER_CUBIC)
            cv2.imwrite(str(folder / f"{at}.jpg"), shown, [cv2.IMWRITE_JPEG_QUALITY, 90])
            rows.writerow([f"item-{at}", thing.kind, f"{at}.jpg"])
    return folder / "items.csv"


def imported(state: Path, source: Path, workers: int) -> tuple[float, float]:
    """Seconds on the clock and of processors, from the first row to the last."""
    context = Context(None, state)
    rows = read_table(source.read_bytes())
    report = ImportReport(len(rows))
    with (
        open_services(Settings(), Layout(state), create=True) as services,
        ImportModels(
            lambda: models_socket(context.layout, context.process_command("models")),
            services.store,
            "efficientnet-lite0",
        ) as models,
    ):
        models.ready()
        pid = _child()
        before = time.monotonic(), _cpu_s(pid)
        work = CatalogueImport(services.store, FolderPictures(source.parent), models, workers=workers)
        work.run(rows, report)
        after = time.monotonic(), _cpu_s(pid)
    assert report.added == MANY, report
    return after[0] - before[0], after[1] - before[1]


def _child() -> int:
    """The models process, our only child."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text(encoding="ascii").split()
    return int(children[-1])


def _cpu_s(child: int) -> float:
    """Processor seconds of this process and that one."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    fields = Path(f"/proc/{child}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return own.ru_utime + own.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def measure() -> Sequence[Row]:
    """One after the other, then some at once."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "table"
        source.mkdir()
        table(source)
        alone_s, _ = imported(Path(folder) / "alone", source / "items.csv", 1)
        wall_s, cpu_s = imported(Path(folder) / "together", source / "items.csv", WORKERS)
    print(
        f"{MANY / wall_s:.0f} pictures/s on the clock, {MANY / alone_s:.0f} one after the other; "
        f"{CORES * MANY / cpu_s:.0f} by processor time on {CORES} cores",
        file=sys.stderr,
    )
    against = f"of processors for a picture, both processes; {MANY / wall_s:.0f} pictures/s on the clock"
    return [limit("search_import", cpu_s / MANY * 1000, "ms", goal=GOAL_MS, against=against)]


if __name__ == "__main__":
    bench_rows.PACKAGES = ("numpy", "opencv-python-headless", "onnxruntime", "pillow")
    sys.exit(main(measure, __doc__))
