"""Measured error rates, and the threshold they give for a wanted one.

The tables (`data/score-tails.json`) hold, per composition and number of references and
probes, the false-match rate of one comparison at each threshold, from 0.8 to 12.5 million
non-mated comparisons on Labeled Faces in the Wild. For a gallery of N people
FPIR = 1 - (1 - FMR)^N.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Points = tuple[tuple[float, float, float], ...]
"""(FMR, threshold, FNMR), FMR falling."""

_REMEMBERED = 10_000
"""Operating points kept because the same ones are asked for again and again."""


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """A threshold chosen for a stated FPIR at a stated gallery size.

    Attributes:
        threshold: Scores at or above it count as the same person.
        fmr: False-match rate of one comparison that the FPIR asks for.
        fnmr: Share of mated comparisons below the threshold, as measured; None beyond the tables.
        extrapolated: The FMR lies outside what was measured; the threshold continues the
            table's last slope over log FMR.
        references: Which table was used.
        probes: Which table was used.
    """

    threshold: float
    fmr: float
    fnmr: float | None
    extrapolated: bool
    references: int
    probes: int


class ErrorTables:
    """The tables of all compositions.

    Args:
        tables: (composition, references, probes) → points.
    """

    def __init__(self, tables: Mapping[tuple[str, int, int], Points]) -> None:
        self._tables = dict(tables)
        self._found: dict[tuple[str, int, int, int, float, float], OperatingPoint] = {}

    @cached_property
    def fingerprint(self) -> str:
        """Tells these tables from others: the first 12 hex digits of a SHA-256 over every number."""
        return hashlib.sha256(repr(sorted(self._tables.items())).encode()).hexdigest()[:12]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ErrorTables":
        """Read the parsed `data/score-tails.json`.

        Raises:
            ValueError: It does not have the form of that file.
        """
        try:
            return cls(
                {
                    (str(t["composition"]), int(t["references"]), int(t["probes"])): tuple(
                        (float(p["fmr"]), float(p["threshold"]), float(p["fnmr"])) for p in t["points"]
                    )
                    for t in data["tables"]
                }
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"score tables: {error!r} is missing or not a number") from error

    def operating_point(
        self,
        composition: str,
        *,
        references: int,
        probes: int,
        gallery_size: int,
        fpir: float,
        strictness: float = 1.0,
    ) -> OperatingPoint:
        """The threshold at which `fpir` of strangers are taken for one of `gallery_size` people.

        Between measured points the threshold runs linearly over log FMR. Counts between those
        measured use the next smaller table, whose threshold is the stricter.

        Args:
            composition: `fused`, `dlib`, `dlib-mirror` or `sface`.
            references: References of the candidate, >= 1.
            probes: Independent frames behind the score, >= 1.
            gallery_size: Subjects searched, >= 1.
            fpir: Wanted rate, above 0 and below 1.
            strictness: By what the wanted FMR is divided for the candidate, >= 1.

        Raises:
            ValueError: No table of this composition.
        """
        key = (composition, references, probes, gallery_size, fpir, strictness)
        point = self._found.get(key)
        if point is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            fmr = -math.expm1(math.log1p(-fpir) / max(1, gallery_size)) / strictness
            point = self._found[key] = self._choose(composition, references, probes, fmr)
        return point

    def _choose(self, composition: str, references: int, probes: int, fmr: float) -> OperatingPoint:
        measured = [key for key in self._tables if key[0] == composition]
        if not measured:
            raise ValueError(f"no error rates were measured for the composition {composition!r}")
        fitting = [(r, p) for _, r, p in measured if r <= references and p <= probes]
        used = max(fitting or [(1, 1)], key=lambda key: (key[0] * key[1], key))
        points = self._tables[composition, *used]
        threshold, fnmr, extrapolated = _interpolate(points, fmr)
        return OperatingPoint(threshold, fmr, fnmr, extrapolated, *used)


def _interpolate(points: Points, fmr: float) -> tuple[float, float | None, bool]:
    """Threshold and FNMR at an FMR, and whether that lies outside the points."""
    wanted = math.log(fmr)
    logs = [math.log(point[0]) for point in points]
    if wanted > logs[0]:
        # Laxer than anything measured: the laxest measured threshold is on the safe side.
        return points[0][1], points[0][2], True
    for i in range(len(points) - 1):
        if logs[i] >= wanted >= logs[i + 1]:
            share = (logs[i] - wanted) / (logs[i] - logs[i + 1])
            threshold = points[i][1] + share * (points[i + 1][1] - points[i][1])
            return threshold, points[i][2] + share * (points[i + 1][2] - points[i][2]), False
    slope = (points[-1][1] - points[-2][1]) / (logs[-2] - logs[-1])
    return points[-1][1] + slope * (logs[-1] - wanted), None, True
