"""How often the intervals of `appliance evaluate` hold the truth: people drawn so often that it is known.

People are directions on a sphere with four photos each, as many and as alike as in the published run:
100 people, of whom 50 are enrolled, drawn anew in 50 rounds. The true rates are the means over many such
populations. Three ways to an FPIR's interval are set beside each other: Wilson's, as if all searches were
independent; people drawn on one side of a search; and on both, which is the one that is used.

    python tests/benchmarks/measure_intervals.py [POPULATIONS]
"""

import platform
import sys

import numpy as np

from appliance.evaluation.identification import Searches, search, splits
from appliance.evaluation.rates import repeated_rate, wilson

PEOPLE, PHOTOS, ENROLLED, ROUNDS, REPLICATES = 100, 4, 50, 50, 500
TRUTHS = 150
"""Populations that the true rates are taken from."""
SETTINGS = (
    # dimensions, cosine between photos of a person, probes, threshold
    (73, 0.6, 1, 0.41),
    (73, 0.6, 3, 0.34),
    (30, 0.6, 1, 0.60),
)


def searches(seed: int, dimensions: int, alike: float, probes: int, rounds: int) -> Searches:
    """All searches of one population."""
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(PEOPLE, 1, dimensions))
    base /= np.linalg.norm(base, axis=2, keepdims=True)
    noise = rng.normal(size=(PEOPLE, PHOTOS, dimensions)) * np.sqrt((1 / alike - 1) / dimensions)
    photos = base + noise
    photos /= np.linalg.norm(photos, axis=2, keepdims=True)
    rows = photos.reshape(-1, dimensions).astype(np.float32)
    owned = [np.arange(PHOTOS * person, PHOTOS * (person + 1)) for person in range(PEOPLE)]
    size = {"enrolled": ENROLLED, "strangers": PEOPLE - ENROLLED, "references": 1, "probes": probes}
    return search(rows @ rows.T, list(splits(owned, **size, rounds=rounds, seed=seed)))


def main() -> None:
    """Measure and print."""
    populations = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    print(f"{platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}")
    print(f"{populations} populations; share of 95 % intervals that hold the true rate:")
    print("true FPIR  Wilson  one side  both sides | true FNIR  people")
    for dimensions, alike, probes, threshold in SETTINGS:
        drawn = [searches(10_000 + seed, dimensions, alike, probes, 5) for seed in range(TRUTHS)]
        fpir = float(np.mean([each.false_positives(threshold).mean() for each in drawn]))
        fnir = float(np.mean([each.false_negatives(threshold).mean() for each in drawn]))
        held = np.zeros(4)
        for seed in range(populations):
            found = searches(seed, dimensions, alike, probes, ROUNDS)
            failed = found.false_positives(threshold)
            lower, upper = wilson(int(failed.sum()), len(failed))
            one = repeated_rate(failed, found.nonmated_person, seed=seed, replicates=REPLICATES)
            held += (
                lower <= fpir <= upper,
                one.holds(fpir),
                found.fpir(threshold, seed=seed, replicates=REPLICATES).holds(fpir),
                found.fnir(threshold, seed=seed, replicates=REPLICATES).holds(fnir),
            )
        share = held / populations
        print(
            f"{fpir:9.4f}  {share[0]:6.2f}  {share[1]:8.2f}  {share[2]:10.2f} | {fnir:9.4f}  {share[3]:6.2f}"
        )


if __name__ == "__main__":
    main()
