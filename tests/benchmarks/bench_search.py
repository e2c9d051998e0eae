"""Visual search: one query among 10,000 and 100,000 pictures of 1280 numbers, against numpy and faiss.

One thread. All candidates take turns in one run; besides the medians of processor time, which stand in the
rows, the best times on the clock are printed. The vectors are drawn by chance, in groups of things that are
alike; queries are rows that were changed a little. Every answer has to be that of the float32 product. faiss
and usearch are looked at where they are installed; the appliance needs neither.

    python tests/benchmarks/bench_search.py [--json]
"""

import importlib.util
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import bench_rows
import numpy as np
from bench_rows import Row, faster, interleaved, limit, main

from appliance.search import ItemIndex

SIZE = 1280
COUNTS = (10_000, 100_000)
K = 4
ROUNDS = 9
GOAL_MS = 40.0


def rows_of(count: int) -> Any:
    """Float32 (count, 1280), of length 1, none below 0: groups of things that are alike."""
    random = np.random.default_rng(4)
    groups = random.gamma(0.4, 1.0, (200, SIZE)).astype(np.float32)
    rows = np.empty((count, SIZE), np.float32)
    for at in range(0, count, 5000):
        some = rows[at : at + 5000]
        some[:] = random.standard_gamma(0.4, some.shape, np.float32)
        some += groups[random.integers(0, 200, len(some))]
        some /= np.linalg.norm(some, axis=1, keepdims=True)
    return rows


def others(rows: Any, asked: Any) -> dict[str, Callable[[], object]]:
    """Libraries that are there, each with its own copy, exact or of half floats."""
    found: dict[str, Callable[[], object]] = {}
    if importlib.util.find_spec("faiss"):
        faiss: Any = importlib.import_module("faiss")
        faiss.omp_set_num_threads(1)
        flat = faiss.IndexFlatIP(SIZE)
        half = faiss.IndexScalarQuantizer(SIZE, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        half.train(rows[:10])
        for name, index in (("faiss flat", flat), ("faiss fp16", half)):
            index.add(rows)
            found[name] = lambda index=index: index.search(asked[None], K)
    if importlib.util.find_spec("usearch"):
        usearch: Any = importlib.import_module("usearch.index")
        halves, half_asked = rows.astype(np.float16), asked.astype(np.float16)
        found["usearch f16"] = lambda: usearch.search(
            halves, half_asked, K, usearch.MetricKind.IP, exact=True, threads=1
        )
    return found


def numpy_search(rows: Any, asked: Any) -> Any:
    """The peer: the whole product, and the best of it."""
    scores = rows @ asked
    best = np.argpartition(scores, len(scores) - K)[len(scores) - K :]
    return best[np.argsort(-scores[best])]


def measure() -> Sequence[Row]:
    """Each size with its rows."""
    measured: list[Row] = []
    for count in COUNTS:
        rows = rows_of(count)
        names = [f"{at:08}-8c1e-7f3a-9d5b-{at:012}" for at in range(count)]
        tracemalloc.start()
        index = ItemIndex(SIZE)
        index.put_many(names, names, rows)
        memory = tracemalloc.get_traced_memory()[0] / count
        tracemalloc.stop()
        random = np.random.default_rng(7)
        queries = rows[random.integers(0, count, 20)] + random.normal(0, 0.01, (20, SIZE)).astype(np.float32)
        queries = (queries / np.linalg.norm(queries, axis=1, keepdims=True)).astype(np.float32)
        same = [
            [int(match.item[:8]) for match in index.search(each, K)] == numpy_search(rows, each).tolist()
            for each in queries
        ]
        asked = queries[0]
        candidates: dict[str, Callable[[], object]] = {
            "ours": lambda index=index, asked=asked: index.search(asked, K),
            "numpy float32": lambda rows=rows, asked=asked: numpy_search(rows, asked),
            **others(rows, asked),
        }
        best = dict.fromkeys(candidates, float("inf"))

        def watched(
            name: str, run: Callable[[], object], best: dict[str, float] = best
        ) -> Callable[[], object]:
            def timed() -> object:
                begun = time.perf_counter()
                run()
                best[name] = min(best[name], (time.perf_counter() - begun) * 1000)
                return None

            return timed

        took = interleaved({name: watched(name, run) for name, run in candidates.items()}, rounds=ROUNDS)
        told = ", ".join(
            f"{name} {took[name]:.1f} (best on the clock {best[name]:.1f})" for name in candidates
        )
        against = f"numpy float32; ms: {told}; order as float32's in {sum(same)} of {len(same)}"
        measured.append(
            faster(f"search_{count}", took["ours"], took["numpy float32"], goal=1.0, against=against)
        )
        measured.append(
            limit(f"search_{count}_memory", memory, "bytes", goal=8192, against="of a picture, ids included")
        )
        if count == COUNTS[-1]:
            measured.append(
                limit("search_query", took["ours"], "ms", goal=GOAL_MS, against="100,000 pictures")
            )
    return measured


if __name__ == "__main__":
    extra = [name for name in ("faiss-cpu", "usearch") if importlib.util.find_spec(name.split("-")[0])]
    bench_rows.PACKAGES = ("numpy", "numkong", *extra)
    sys.exit(main(measure, __doc__))
