"""Sanity on LFW: people are more like themselves than like others, for every model.

Four photos each of 100 people. Far too few to show a false-match rate of 0.1 %; the figures that
thresholds are set by come from the whole of LFW and stand in `data/score-tails.json`.
"""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from appliance.faces.reader import FaceReader
from appliance.values import DLIB, DLIB_MIRROR, SFACE, FloatArray, ImageArray, ModelId

pytestmark = pytest.mark.material

People = Mapping[str, tuple[ImageArray, ...]]


@pytest.fixture(scope="module")
def embedded(reader: FaceReader, lfw: People) -> Mapping[ModelId, FloatArray]:
    """Two photos each of 60 people, embedded: float32 (60, 2, 128) by model."""
    found: dict[ModelId, list[list[FloatArray]]] = {DLIB: [], DLIB_MIRROR: [], SFACE: []}
    for photos in list(lfw.values())[:60]:
        made = [reader.templates(reader.sample(bgr, reader.detect(bgr)[0])) for bgr in photos[:2]]
        for model, rows in found.items():
            rows.append([templates[model].embedding for templates in made])
    return {model: np.array(rows) for model, rows in found.items()}


def scores(model: ModelId, both: FloatArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mated and non-mated scores of first against second photos; higher is more alike."""
    first, second = both[:, 0], both[:, 1]
    apart = np.linalg.norm(first[:, None] - second[None], axis=2)
    table = first @ second.T if model == SFACE else -apart
    mated = np.eye(len(table), dtype=bool)
    return table[mated].astype(np.float64), table[~mated].astype(np.float64)


def test_every_photo_has_a_face(reader: FaceReader, lfw: People) -> None:
    """YuNet finds one in each of 400 photos, as it did in all 7,701 of LFW."""
    assert 0 == sum(not reader.detect(bgr) for photos in lfw.values() for bgr in photos)


@pytest.mark.parametrize(("model", "accepted"), [(DLIB, 0.9), (DLIB_MIRROR, 0.9), (SFACE, 0.95)])
def test_people_are_told_apart(
    embedded: Mapping[ModelId, FloatArray], model: ModelId, accepted: float
) -> None:
    """At a threshold that 1 % of 3,540 non-mated pairs pass, at least this share of 60 mated pairs does."""
    mated, others = scores(model, embedded[model])

    assert accepted <= float((mated > np.quantile(others, 0.99)).mean())


def test_the_mirror_brings_people_closer_to_themselves(embedded: Mapping[ModelId, FloatArray]) -> None:
    """Averaging with the mirror image raises the mated scores, on average; it is why it is the default."""
    plain, _ = scores(DLIB, embedded[DLIB])
    mirrored, _ = scores(DLIB_MIRROR, embedded[DLIB_MIRROR])

    assert plain.mean() < mirrored.mean()


def test_ordinary_photos_are_of_good_quality(reader: FaceReader, lfw: People) -> None:
    """The quality measures turn away few photos that embedders can use: under 5 % of 100."""
    totals = [reader.sample(photos[0], reader.detect(photos[0])[0]).quality.total for photos in lfw.values()]

    assert 5 > sum(total < 30 for total in totals)
