"""One face in a 720p frame: both embedders with the mirror image, against the webcam examples."""

from collections.abc import Sequence

from bench_rows import Row, faster, main
from frame_pipelines import times, what_limits

from appliance.values import DLIB_MIRROR, SFACE


def measure() -> Sequence[Row]:
    """One row for each of the peer's examples."""
    took = times((DLIB_MIRROR, SFACE))
    return [
        faster(
            "frame_fused",
            took["ours"],
            took["full"],
            goal=14,
            against="face_recognition's example on the full frame",
            why_not=what_limits(took, "full"),
        ),
        faster(
            "frame_fused_quarter",
            took["ours"],
            took["quarter"],
            goal=3.5,
            against="face_recognition's faster example, on a frame of a quarter the size",
            why_not=what_limits(took, "quarter"),
        ),
    ]


if __name__ == "__main__":
    main(measure, __doc__)
