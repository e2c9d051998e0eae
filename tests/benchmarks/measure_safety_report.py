"""How long the safety report of a large gallery takes: random galleries, machine, versions, seconds.

python tests/benchmarks/measure_safety_report.py [--people 1000] [--references 3]
"""

import argparse
import platform
import resource
import time

import numpy as np

from appliance.app.enrolled_faces import scores_between
from appliance.app.error_tables import read_tables
from appliance.app.safety import operating
from appliance.decision.rule import WEIGHTS
from appliance.evaluation.leave_one_out import Enrolled, Rule
from appliance.evaluation.safety import assess
from appliance.values import FloatArray, ModelId, ReferenceId, SubjectId


def gallery(people: int, references: int, seed: int = 1) -> Enrolled:
    """People in random directions, their references around them."""
    random = np.random.default_rng(seed)
    middles = np.repeat(random.standard_normal((people, 128)), references, axis=0)
    rows = middles + 0.6 * random.standard_normal(middles.shape)
    unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    weights = WEIGHTS["fused"]
    by_model: dict[ModelId, FloatArray] = dict.fromkeys(weights, unit)
    return Enrolled(
        subjects=[SubjectId(f"{number:05}") for number in range(people)],
        owners=np.repeat(np.arange(people), references),
        references=[ReferenceId(str(number)) for number in range(people * references)],
        quality=np.full(people * references, 80.0),
        strictness=np.ones(people),
        scores=lambda block: scores_between(weights, {m: of[block] for m, of in by_model.items()}, by_model),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--references", type=int, default=3)
    asked = parser.parse_args()
    enrolled = gallery(asked.people, asked.references)
    began, busy = time.perf_counter(), time.process_time()
    report = assess(enrolled, operating(read_tables(), "fused"), Rule(0.001, 0.05, 0.04))
    took, busy = time.perf_counter() - began, time.process_time() - busy
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{platform.machine()}, python {platform.python_version()}, numpy {np.__version__}")
    print(
        f"{report.people} people x {asked.references}: {took:.2f} s, {busy:.2f} s of processor time, "
        f"{memory:.0f} MiB at most, {len(report.pairs)} pairs, {report.outcomes}"
    )


if __name__ == "__main__":
    main()
