"""Visual search: how often the right item is found, and how often what is not in the catalogue is refused.

Items are photographs that come with scikit-image and scikit-learn, shown like cards, and rendered things, cut
out; queries are frames in which they are turned, nearer or farther, partly outside, dimmed, tinted, noisy and
on another ground. The threshold is calibrated on each catalogue as the appliance does it, with its own
variations, which are drawn by other code than the frames. Beside it stands the search by colours' histograms,
whose threshold is calibrated likewise.

    python tests/benchmarks/bench_retrieval.py             the table
    python tests/benchmarks/bench_retrieval.py --fits      ways to bring a picture to the network

Shares have 95 % intervals (Wilson), over frames; frames of one item are not independent, so they are a little
too narrow.
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import bench_rows
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from search_items import Thing, before_camera, photographs, rendered

from appliance.models.folder import ModelFolder
from appliance.networks import open_session
from appliance.search import (
    EFFICIENTNET_LITE0,
    FeatureNetwork,
    Featurizer,
    ItemIndex,
    View,
    calibrate,
    seen,
    spread,
    varied,
)
from appliance.values import FloatArray, ImageArray

FRAMES = 3
Describe = Callable[[Sequence[ImageArray]], FloatArray]


@dataclass(frozen=True)
class Trial:
    """A catalogue and what is shown to it.

    Attributes:
        name: What it is, for people.
        items: Pictures of each item in the catalogue.
        shown: Frames with things of the catalogue, by item.
        strange: Frames with things that are not in it.
    """

    name: str
    items: Mapping[str, Sequence[ImageArray]]
    shown: Mapping[str, Sequence[ImageArray]]
    strange: Sequence[ImageArray]


def wilson(hits: int, tries: int) -> tuple[float, float]:
    """95 % interval of a share."""
    z, share = 1.96, hits / tries
    middle = share + z * z / (2 * tries)
    reach = z * math.sqrt(share * (1 - share) / tries + z * z / (4 * tries * tries))
    return (middle - reach) / (1 + z * z / tries), (middle + reach) / (1 + z * z / tries)


def told(hits: int, tries: int) -> str:
    """A share with its interval, in percent."""
    low, high = wilson(hits, tries)
    return f"{hits / tries:6.1%} ({low:.0%}-{high:.0%})".ljust(18)


def colours(pictures: Sequence[ImageArray]) -> FloatArray:
    """The peer: histograms of hue, saturation, value, 16 x 10 x 8, by Bhattacharyya's coefficient.

    The root of shares has length 1, so that the coefficient is a dot product.
    """
    rows = []
    for bgr in pictures:
        hsv = cv2.cvtColor(cv2.resize(bgr, (224, 224), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2HSV)
        counts = cv2.calcHist([hsv], [0, 1, 2], None, [16, 10, 8], [0, 180, 0, 256, 0, 256]).ravel()
        rows.append(np.sqrt(counts / counts.sum()))
    return np.stack(rows).astype(np.float32)


def frames_of(things: Iterable[Thing], first: int) -> dict[str, list[ImageArray]]:
    """Some frames of each thing."""
    return {
        thing.id: [before_camera(thing, first + at * FRAMES + turn) for turn in range(FRAMES)]
        for at, thing in enumerate(things)
    }


def trials() -> list[Trial]:
    """What is tried."""
    photos, things, others = photographs(), list(rendered(60, 1)), list(rendered(60, 2))
    kinds = list(rendered(10, 3))
    known, unknown = [*photos[:15], *kinds[:6]], [*photos[15:], *kinds[6:]]
    return [
        Trial(
            "different things, photographs and rendered; strange: other such things",
            {thing.id: [thing.bgr] for thing in known},
            frames_of(known, 100_000),
            flat(frames_of(unknown, 800_000)),
        ),
        Trial(
            "photographs, and ten kinds in six designs; strange: the same kinds in other designs",
            {thing.id: [thing.bgr] for thing in [*photos, *things]},
            frames_of([*photos, *things], 200_000),
            flat(frames_of(others, 900_000)),
        ),
        Trial(
            "ten kinds in six designs; strange: photographs",
            {thing.id: [thing.bgr] for thing in things},
            frames_of(things, 300_000),
            flat(frames_of(photos, 950_000)),
        ),
    ]


def flat(frames: Mapping[str, Sequence[ImageArray]]) -> list[ImageArray]:
    """All of them."""
    return [each for some in frames.values() for each in some]


def row(trial: Trial, name: str, describe: Describe, view: View) -> str:
    """One line of the table."""
    owners = [item for item, pictures in trial.items.items() for _ in pictures]
    features = describe([picture for pictures in trial.items.values() for picture in pictures])
    index = ItemIndex(features.shape[1])
    index.put_many([f"{item}/{at}" for at, item in enumerate(owners)], owners, features)
    changed = [(item, picture) for item in spread(index.items()) for picture in varied(trial.items[item][0])]
    variations = describe([seen(picture, view) for _, picture in changed])
    threshold = calibrate(index, zip((item for item, _ in changed), variations, strict=True))
    wanted = [item for item, frames in trial.shown.items() for _ in frames]
    queries = describe([seen(frame, view) for frames in trial.shown.values() for frame in frames])
    found = [index.search(each, 3) for each in queries]
    first = sum(matches[0].item == item for matches, item in zip(found, wanted, strict=True))
    three = sum(item in {each.item for each in matches} for matches, item in zip(found, wanted, strict=True))
    refused = sum(not threshold.counts(matches[0].score) for matches in found)
    strange = describe([seen(frame, view) for frame in trial.strange])
    turned_away = sum(not threshold.counts(index.search(each, 1)[0].score) for each in strange)
    cells = (
        told(first, len(found)),
        told(three, len(found)),
        f"{threshold.score:.2f}{'*' if threshold.basis == 'default' else ' '}",
        told(turned_away, len(strange)),
        told(refused, len(found)),
    )
    return f"  {name:<22} {'  '.join(cells)}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--fits", action="store_true", help="stretched, letterboxed and cropped, side by side"
    )
    fits = parser.parse_args().fits
    session = open_session(ModelFolder().path("efficientnet-lite0"))

    def way(network: FeatureNetwork = EFFICIENTNET_LITE0) -> Describe:
        return Featurizer(session, network).featurize_many

    ways: list[tuple[str, Describe, View]] = [
        ("features, centre", way(), "centre"),
        ("features, all", way(), "all"),
        ("colours, centre", colours, "centre"),
    ]
    if fits:
        ways = [
            (f"{fit}, {view}", way(replace(EFFICIENTNET_LITE0, fit=fit)), view)
            for view in ("all", "centre")
            for fit in ("stretched", "letterboxed", "cropped")
        ]
    print(
        ", ".join(
            f"{key} {value}" for key, value in {**bench_rows.machine(), **bench_rows.versions()}.items()
        )
    )
    heads = ("recall@1", "recall@3", "from", "strange refused", "known refused")
    widths = (18, 18, 5, 18, 18)
    print(f"\n  {'':<22} {'  '.join(head.ljust(wide) for head, wide in zip(heads, widths, strict=True))}")
    for trial in trials():
        print(f"{trial.name}: {len(trial.items)} items")
        for name, describe, view in ways:
            print(row(trial, name, describe, view), flush=True)
    print("\n  *: too few items to calibrate on, the default")


if __name__ == "__main__":
    main()
