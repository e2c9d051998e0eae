"""Where does "the same photo again" end and "another photo of the same person" begin?

Photos of Labeled Faces in the Wild (`testdata/faces/lfw_subset_100x4.tar` in the folder that
APPLIANCE_TEST_MATERIAL names) are re-encoded, resized, cropped and toned as files are on their way through
mail programs and phones. Compared are, by the fused score, each copy with its original, and different photos
of the same person. Prints quantiles of both, the errors at each limit, machine and versions. No seconds are
measured.

    python tests/benchmarks/measure_near_copies.py [--people 100]
"""

import argparse
import io
import os
import platform
import tarfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageEnhance

from appliance.app.embedding import open_photo_reader
from appliance.faces import FaceReader, decode_photo
from appliance.settings import Settings
from appliance.values import DLIB_MIRROR, SFACE, FloatArray

Pair = tuple[FloatArray, FloatArray]
"""SFace and mirrored dlib vectors of a face."""


def jpeg(picture: Image.Image, quality: int) -> bytes:
    """Encoded once more."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def webp(picture: Image.Image) -> bytes:
    """As messengers send it."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=70)
    return buffer.getvalue()


def scaled(picture: Image.Image, factor: float) -> Image.Image:
    """Smaller or larger."""
    return picture.resize((round(picture.width * factor), round(picture.height * factor)))


def cropped(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Without these shares of its edges."""
    wide, high = picture.size
    return picture.crop(
        (round(wide * left), round(high * top), round(wide * (1 - right)), round(high * (1 - bottom)))
    )


COPIES: Mapping[str, Callable[[Image.Image], bytes]] = {
    "jpeg 90": lambda p: jpeg(p, 90),
    "jpeg 70": lambda p: jpeg(p, 70),
    "jpeg 40": lambda p: jpeg(p, 40),
    "jpeg 20": lambda p: jpeg(p, 20),
    "webp 70": webp,
    "scaled 0.8": lambda p: jpeg(scaled(p, 0.8), 85),
    "scaled 0.5": lambda p: jpeg(scaled(p, 0.5), 85),
    "scaled 2": lambda p: jpeg(scaled(p, 2.0), 85),
    "cropped all round 12 %": lambda p: jpeg(cropped(p, 0.12, 0.12, 0.12, 0.12), 85),
    "cropped left 20 % top 10 %": lambda p: jpeg(cropped(p, 0.2, 0.1, 0, 0), 85),
    "brighter 1.2": lambda p: jpeg(ImageEnhance.Brightness(p).enhance(1.2), 85),
    "more contrast 1.2": lambda p: jpeg(ImageEnhance.Contrast(p).enhance(1.2), 85),
    "gray": lambda p: jpeg(p.convert("L"), 85),
    "turned 2 degrees": lambda p: jpeg(p.rotate(2, Image.Resampling.BICUBIC), 85),
    "mirrored": lambda p: jpeg(p.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 85),
}


def embedded(reader: FaceReader, content: bytes) -> Pair | None:
    """The face nearest the middle, or None."""
    bgr = decode_photo(content)
    faces = reader.detect(bgr)
    if not faces:
        return None
    middle = np.array([bgr.shape[1], bgr.shape[0]]) / 2
    face = min(faces, key=lambda each: float(np.hypot(*(np.array(each.box.centre) - middle))))
    made = reader.templates(reader.sample(bgr, face))
    return made[SFACE].embedding, made[DLIB_MIRROR].embedding


def fused(one: Pair, other: Pair) -> float:
    """SFace cosine - 0.5 x dlib distance, the product's default composition."""
    return float(one[0] @ other[0] - 0.5 * np.linalg.norm(one[1] - other[1]))


def line(name: str, scores: list[float]) -> str:
    """One row: how many, and the quantiles."""
    low, few, half, many, high = np.quantile(scores, [0, 0.01, 0.5, 0.99, 1])
    return f"{name:<30} {len(scores):>6} {low:>8.3f} {few:>8.3f} {half:>8.3f} {many:>8.3f} {high:>8.3f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--people", type=int, default=100)
    wanted = parser.parse_args().people
    path = Path(os.environ["APPLIANCE_TEST_MATERIAL"]) / "testdata" / "faces" / "lfw_subset_100x4.tar"
    people: dict[str, list[bytes]] = defaultdict(list)
    with tarfile.open(path) as tar:
        for member in sorted(tar.getmembers(), key=lambda each: each.name):
            file = tar.extractfile(member)
            if file is not None:
                people[Path(member.name).parent.name].append(file.read())
    copies: dict[str, list[float]] = defaultdict(list)
    different: list[float] = []
    with open_photo_reader(Settings()) as reader:
        for photos in [people[name] for name in sorted(people)[:wanted]]:
            originals = [found for photo in photos if (found := embedded(reader, photo)) is not None]
            different += [fused(originals[i], originals[j]) for i in range(len(originals)) for j in range(i)]
            first = embedded(reader, photos[0])
            with Image.open(io.BytesIO(photos[0])) as picture:
                for name, copy in COPIES.items():
                    again = embedded(reader, copy(picture))
                    if first is not None and again is not None:
                        copies[name].append(fused(first, again))
    print(f"{platform.machine()}, python {platform.python_version()}, cv2 {cv2.__version__}, {wanted} people")
    print(f"{'fused score':<30} {'n':>6} {'least':>8} {'1 %':>8} {'median':>8} {'99 %':>8} {'most':>8}")
    for name, scores in copies.items():
        print(line(name, scores))
    print(line("different photos, same person", different))
    every = [score for name, scores in copies.items() if name != "mirrored" for score in scores]
    print(f"\n{'limit':>6} {'copies missed':>14} {'other photos called copies':>28}")
    for limit in np.arange(0.55, 0.96, 0.025):
        missed = sum(score < limit for score in every)
        taken = sum(score >= limit for score in different)
        print(f"{limit:>6.3f} {missed:>6}/{len(every):<7} {taken:>14}/{len(different)}")
    print("the ten most alike of the different photos:", np.round(sorted(different)[-10:], 3))


if __name__ == "__main__":
    main()
