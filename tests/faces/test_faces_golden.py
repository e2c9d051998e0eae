"""Golden values: our embedders against dlib and OpenCV, on the portraits of the repository.

Every network is also shown to do worse with swapped colours, since that mistake raises no error.
"""

from collections.abc import Mapping

import cv2
import dlib
import numpy as np
import pytest

from appliance.faces.align import ShapePredictor, dlib_rectangle
from appliance.faces.embed import (
    ChipEmbedder,
    DlibEmbedder,
    DlibReferenceEmbedder,
    SFaceEmbedder,
    dlib_templates,
)
from appliance.faces.reader import FaceReader
from appliance.models.folder import ModelFolder
from appliance.settings.model import FaceSettings
from appliance.values import DLIB, DLIB_MIRROR, SFACE, FaceSample, FloatArray, ImageArray

EVERYONE = ["enrol/obama", "enrol/astronaut", "scene/obama", "scene/astronaut", "scene/biden"]


def sampled(reader: FaceReader, picture: ImageArray) -> FaceSample:
    """The largest face of a picture."""
    return reader.sample(picture, reader.detect(picture)[0])


def swapped(picture: ImageArray) -> ImageArray:
    """Red for blue."""
    return np.ascontiguousarray(picture[..., ::-1])


def distance(one: FloatArray, other: FloatArray) -> float:
    """Euclidean."""
    return float(np.linalg.norm(one - other))


@pytest.fixture(scope="session")
def dlib_network(model_folder: ModelFolder) -> DlibEmbedder:
    """The converted network."""
    embedder = DlibEmbedder(model_folder.path("dlib-resnet"))
    embedder.open()
    return embedder


@pytest.fixture(scope="session")
def dlib_itself(model_folder: ModelFolder) -> DlibReferenceEmbedder:
    """The implementation in dlib."""
    embedder = DlibReferenceEmbedder(model_folder.path("dlib-resnet-dat"))
    embedder.open()
    return embedder


@pytest.fixture(scope="session")
def sface_network(model_folder: ModelFolder) -> SFaceEmbedder:
    """The converted network."""
    embedder = SFaceEmbedder(model_folder.path("sface"))
    embedder.open()
    return embedder


@pytest.fixture(params=["onnxruntime", "dlib"])
def any_dlib(
    request: pytest.FixtureRequest, dlib_network: ChipEmbedder, dlib_itself: ChipEmbedder
) -> ChipEmbedder:
    """Both implementations of dlib's network, for what both must do."""
    return {"onnxruntime": dlib_network, "dlib": dlib_itself}[request.param]


@pytest.mark.parametrize("who", EVERYONE)
def test_our_dlib_vectors_are_dlibs(
    reader: FaceReader,
    dlib_network: DlibEmbedder,
    dlib_itself: DlibReferenceEmbedder,
    portraits: Mapping[str, ImageArray],
    who: str,
) -> None:
    """The same chip, and its mirror image, give the same 128 numbers within 1e-5 (measured: 4e-7)."""
    chip = sampled(reader, portraits[who]).dlib_chip
    chips = np.stack([chip, chip[:, ::-1]])

    assert 1e-5 > np.abs(dlib_network.embed(chips) - dlib_itself.embed(chips)).max()


def test_noise_gives_dlibs_vectors_too(
    dlib_network: DlibEmbedder, dlib_itself: DlibReferenceEmbedder
) -> None:
    """Also far from any face, where the padding of the last blocks shows."""
    chips = np.random.default_rng(5).integers(0, 256, (3, 150, 150, 3), dtype=np.uint8)

    assert 1e-5 > np.abs(dlib_network.embed(chips) - dlib_itself.embed(chips)).max()


@pytest.mark.parametrize("who", EVERYONE)
def test_our_sface_vectors_are_opencvs(
    model_folder: ModelFolder,
    reader: FaceReader,
    sface_network: SFaceEmbedder,
    portraits: Mapping[str, ImageArray],
    who: str,
) -> None:
    """The same chip gives the same direction as `cv2.FaceRecognizerSF` does with the published file."""
    chip = sampled(reader, portraits[who]).sface_chip
    theirs = cv2.FaceRecognizerSF.create(str(model_folder.path("sface-int8bq")), "").feature(chip)[0]
    ours = sface_network.embed(chip[None])[0]

    assert 0.99999 < float(ours @ theirs / np.linalg.norm(theirs))
    assert pytest.approx(1.0, abs=1e-6) == float(np.linalg.norm(ours))


@pytest.mark.parametrize("who", EVERYONE)
def test_a_picture_with_swapped_colours_looks_less_like_a_face(
    reader: FaceReader, portraits: Mapping[str, ImageArray], who: str
) -> None:
    """YuNet wants BGR: given RGB, its score falls."""
    right, wrong = reader.detect(portraits[who]), reader.detect(swapped(portraits[who]))

    assert right[0].score > max((face.score for face in wrong), default=0.0)


@pytest.mark.parametrize("person", ["obama", "astronaut"])
def test_swapped_colours_move_a_person_away_from_herself(
    reader: FaceReader,
    dlib_network: DlibEmbedder,
    sface_network: SFaceEmbedder,
    portraits: Mapping[str, ImageArray],
    person: str,
) -> None:
    """Both embedders find two photos of one person less alike when one of them has red for blue."""
    enrolled = sampled(reader, portraits[f"enrol/{person}"])
    seen = sampled(reader, portraits[f"scene/{person}"])
    by_dlib = dlib_network.embed(np.stack([enrolled.dlib_chip, seen.dlib_chip, swapped(seen.dlib_chip)]))
    by_sface = sface_network.embed(np.stack([enrolled.sface_chip, seen.sface_chip, swapped(seen.sface_chip)]))

    assert distance(by_dlib[0], by_dlib[1]) < distance(by_dlib[0], by_dlib[2])
    assert float(by_sface[0] @ by_sface[1]) > float(by_sface[0] @ by_sface[2])


def test_known_distances_stay_what_they_are(reader: FaceReader, portraits: Mapping[str, ImageArray]) -> None:
    """One person on two photos, and two persons: the figures this version was released with."""
    one, two, stranger = (
        reader.templates(sampled(reader, portraits[who]))
        for who in ("enrol/obama", "scene/obama", "scene/biden")
    )

    assert pytest.approx((0.314, 0.310, 0.788), abs=0.02) == (
        distance(one[DLIB].embedding, two[DLIB].embedding),
        distance(one[DLIB_MIRROR].embedding, two[DLIB_MIRROR].embedding),
        float(one[SFACE].embedding @ two[SFACE].embedding),
    )
    assert pytest.approx((0.839, 0.845, 0.111), abs=0.02) == (
        distance(one[DLIB].embedding, stranger[DLIB].embedding),
        distance(one[DLIB_MIRROR].embedding, stranger[DLIB_MIRROR].embedding),
        float(one[SFACE].embedding @ stranger[SFACE].embedding),
    )


@pytest.mark.parametrize("who", EVERYONE)
def test_our_way_gives_the_encoding_face_recognition_would_give(
    reader: FaceReader,
    predictor: ShapePredictor,
    dlib_itself: DlibReferenceEmbedder,
    portraits: Mapping[str, ImageArray],
    who: str,
) -> None:
    """HOG box, 5 points and dlib, against YuNet box, 5 points and onnxruntime: people stay who they are.

    On LFW the median distance between both is 0.043 and 99 % lie below 0.171; people are 0.6 apart.
    """
    rgb = swapped(portraits[who])
    box = dlib.get_frontal_face_detector()(rgb, 1)[0]
    chip = dlib.get_face_chip(rgb, predictor.shape(rgb, box), size=150, padding=0.25)
    ours = reader.templates(sampled(reader, portraits[who]))[DLIB].embedding

    assert 0.1 > distance(dlib_itself.embed(chip[None])[0], ours)


def test_the_mapped_box_lies_where_hog_would_draw_it(
    reader: FaceReader, portraits: Mapping[str, ImageArray]
) -> None:
    """On the median portrait both boxes share most of their area, with their centres close together."""
    shared, apart = [], []
    for picture in portraits.values():
        ours = dlib_rectangle(reader.detect(picture)[0].box)
        theirs = dlib.get_frontal_face_detector()(swapped(picture), 1)[0]
        common = ours.intersect(theirs).area()
        shared.append(common / (ours.area() + theirs.area() - common))
        apart.append(
            np.hypot(ours.center().x - theirs.center().x, ours.center().y - theirs.center().y) / ours.width()
        )

    assert 0.7 < np.median(shared)
    assert 0.12 > np.median(apart)


def test_plain_and_mirrored_come_from_one_run(
    any_dlib: ChipEmbedder, reader: FaceReader, obama: ImageArray
) -> None:
    """Asked for both, the plain vector is the one asked for alone, and the mirrored one is the mean."""
    chip = sampled(reader, obama).dlib_chip
    alone = any_dlib.embed(chip[None])[0]
    turned = any_dlib.embed(np.ascontiguousarray(chip[:, ::-1])[None])[0]
    both = dlib_templates(any_dlib, chip, {DLIB, DLIB_MIRROR})

    assert 1e-6 > np.abs(alone - both[DLIB].embedding).max()
    assert 1e-6 > np.abs((alone + turned) / 2 - both[DLIB_MIRROR].embedding).max()


def test_the_mirrored_template_does_not_know_left_from_right(
    any_dlib: ChipEmbedder, reader: FaceReader, obama: ImageArray
) -> None:
    """A chip and its mirror image have the same mirrored template."""
    chip = sampled(reader, obama).dlib_chip
    one = dlib_templates(any_dlib, chip, {DLIB_MIRROR})[DLIB_MIRROR]
    other = dlib_templates(any_dlib, np.ascontiguousarray(chip[:, ::-1]), {DLIB_MIRROR})[DLIB_MIRROR]

    assert 1e-6 > np.abs(one.embedding - other.embedding).max()


def test_many_chips_give_what_each_gives_alone(any_dlib: ChipEmbedder) -> None:
    """A batch larger than the network takes at once is cut up without a seam."""
    chips = np.random.default_rng(6).integers(0, 256, (9, 150, 150, 3), dtype=np.uint8)
    together = any_dlib.embed(chips)

    assert (9, 128) == together.shape
    assert 1e-5 > np.abs(together - np.concatenate([any_dlib.embed(chip[None]) for chip in chips])).max()


def test_the_reference_reader_gives_the_same_templates(
    model_folder: ModelFolder, reader: FaceReader, obama: ImageArray
) -> None:
    """Running dlib itself, selected instead of onnxruntime, changes no decision."""
    settings = FaceSettings()
    with FaceReader.open(model_folder, settings, [DLIB], reference=True) as reference:
        theirs = reference.templates(sampled(reference, obama))
    ours = reader.templates(sampled(reader, obama))

    assert [DLIB] == list(theirs)
    assert 1e-5 > np.abs(ours[DLIB].embedding - theirs[DLIB].embedding).max()
