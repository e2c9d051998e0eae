"""GetImages, asked by boto3 as it is: the picture that is shown at a moment, if there is one."""

import base64
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import av
import numpy as np
import pytest
from botocore.exceptions import ClientError
from kvs_footage import BEGIN_MS, HEIGHT, WIDTH, footage, where
from kvs_local import LocalKvs, local_kvs
from kvs_producer import send_all

BEGIN = datetime.fromtimestamp(BEGIN_MS / 1000, UTC)


@pytest.fixture(scope="module")
def kvs() -> Iterator[LocalKvs]:
    """A server with four seconds of footage, then four without, then two with."""
    with local_kvs() as found:
        found.stream("office")
        pieces = footage(5)
        send_all(found.port, "office", (*pieces[:2], pieces[4]))
        yield found


def asked(kvs: LocalKvs, begin_s: float, end_s: float, **given: Any) -> dict[str, Any]:
    """An answer."""
    found: dict[str, Any] = kvs.media_client("office", "GET_IMAGES").get_images(
        **{
            "StreamName": "office",
            "ImageSelectorType": "PRODUCER_TIMESTAMP",
            "StartTimestamp": BEGIN + timedelta(seconds=begin_s),
            "EndTimestamp": BEGIN + timedelta(seconds=end_s),
            "Format": "PNG",
            **given,
        }
    )
    return found


def gray(content: str) -> np.ndarray:
    """A picture, decoded."""
    with av.open(io.BytesIO(base64.b64decode(content))) as found:
        return next(found.decode(video=0)).to_ndarray(format="gray")


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_each_moment_has_the_picture_that_is_shown_then(kvs: LocalKvs, form: str) -> None:
    """Frames last 0.2 s: a moment between two shows the earlier one."""
    images = asked(kvs, 0.3, 3.3, SamplingInterval=1000, Format=form)["Images"]

    assert [1, 6, 11, 16] == [where(gray(each["ImageContent"])) for each in images]
    assert [BEGIN + timedelta(seconds=at + 0.3) for at in range(4)] == [each["TimeStamp"] for each in images]


def test_moments_without_video_say_so(kvs: LocalKvs) -> None:
    """In the hole, and behind the end."""
    images = asked(kvs, 3, 11, SamplingInterval=2000)["Images"]

    assert [None, "NO_MEDIA", "NO_MEDIA", None, "NO_MEDIA"] == [each.get("Error") for each in images]


def test_pictures_come_page_by_page(kvs: LocalKvs) -> None:
    """Each moment once, in order."""
    first = asked(kvs, 0, 1, SamplingInterval=200, MaxResults=4)
    second = asked(kvs, 0, 1, SamplingInterval=200, MaxResults=4, NextToken=first["NextToken"])

    assert [0, 1, 2, 3] == [where(gray(each["ImageContent"])) for each in first["Images"]]
    assert [4, 5] == [where(gray(each["ImageContent"])) for each in second["Images"]]
    assert "NextToken" not in second


def test_pictures_have_the_size_and_quality_that_is_asked_for(kvs: LocalKvs) -> None:
    """Height alone keeps the shape; less quality makes fewer bytes."""
    half = asked(kvs, 0, 0, HeightPixels=HEIGHT // 2)["Images"][0]
    square = asked(kvs, 0, 0, HeightPixels=50, WidthPixels=50)["Images"][0]
    sizes = [
        len(asked(kvs, 0, 0, Format="JPEG", FormatConfig={"JPEGQuality": each})["Images"][0]["ImageContent"])
        for each in ("5", "95")
    ]

    assert [(HEIGHT // 2, WIDTH // 2), (50, 50)] == [
        gray(each["ImageContent"]).shape for each in (half, square)
    ]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(
    "given",
    [
        {"EndTimestamp": BEGIN + timedelta(seconds=301)},
        {"EndTimestamp": BEGIN - timedelta(seconds=1)},
        {"SamplingInterval": 199},
        {"WidthPixels": 100},
        {"FormatConfig": {"JPEGQuality": "101"}},
        {"NextToken": "bm9uc2Vuc2U="},
        {"NextToken": "MTI="},
    ],
)
def test_what_cannot_be_had_is_refused(kvs: LocalKvs, given: dict[str, Any]) -> None:
    """Spans, intervals, sizes, qualities and tokens beyond the model's limits."""
    with pytest.raises(ClientError, match="InvalidArgumentException"):
        asked(kvs, 0, 1, **given)
