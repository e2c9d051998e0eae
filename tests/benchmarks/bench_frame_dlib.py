"""One face in a 720p frame: detect, align, dlib, match in 10,000, against the webcam examples."""

from collections.abc import Sequence

from bench_rows import Row, faster, main
from frame_pipelines import times, what_limits

from appliance.values import DLIB


def measure() -> Sequence[Row]:
    """One row for each of the peer's examples."""
    took = times((DLIB,))
    return [
        faster(
            "frame_dlib",
            took["ours"],
            took["full"],
            goal=40,
            against="face_recognition's example on the full frame",
            why_not=what_limits(took, "full"),
        ),
        faster(
            "frame_dlib_quarter",
            took["ours"],
            took["quarter"],
            goal=10,
            against="face_recognition's faster example, on a frame of a quarter the size",
            why_not=what_limits(took, "quarter"),
        ),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
