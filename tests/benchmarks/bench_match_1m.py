"""One probe in 1,000,000 references of 128 numbers, against reading that matrix once.

The floor is the fastest of three ways by which numpy, without Python in between, reads every byte once and
does next to nothing with it.
"""

from collections.abc import Sequence

import numpy as np
from bench_rows import Row, interleaved, main, within

from appliance.matching import Gallery
from appliance.values import DLIB

PEOPLE = 1_000_000
ROUNDS = 15


def measure() -> Sequence[Row]:
    """The whole search, from a probe to the best subject and its score."""
    random = np.random.default_rng(4)
    rows = random.standard_normal((PEOPLE, 128), dtype=np.float32)
    rows *= np.float32(1.4 / np.sqrt(128))
    gallery = Gallery.of_matrix(DLIB, rows)
    probe = rows[123_456] + np.float32(0.01)
    flat, words = rows.reshape(-1), rows.view(np.uint64)
    took = interleaved(
        {
            "ours": lambda: gallery.nearest(DLIB, probe),
            "greatest": words.max,
            "sum": flat.sum,
            "or": lambda: np.bitwise_or.reduce(words, axis=None),
        },
        rounds=ROUNDS,
    )
    floor = min(took[name] for name in ("greatest", "sum", "or"))
    against = f"reading {rows.nbytes / 1e6:.0f} MB once ({rows.nbytes / floor / 1e6:.1f} GB/s)"
    why_not = f"the product goes through the matrix at {rows.nbytes / took['ours'] / 1e6:.1f} GB/s"
    return [within("match_1m", took["ours"], floor, goal=1.5, against=against, why_not=why_not)]


if __name__ == "__main__":
    main(measure, __doc__)
