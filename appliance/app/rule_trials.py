"""The rule of the door, whole, tried on searches by photos: how often it names, doubts, or errs.

The threshold is only part of the rule: margin, stranger band and the weight of each frame's quality
are in here as well, for it is the very `Policy` that the loop asks. Chooses no photos and draws
nothing.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from appliance.app.embedded_folder import EmbeddedFolder
from appliance.decision import FrameEvidence, Policy
from appliance.decision.weighing import INDEPENDENT_S
from appliance.evaluation.identification import Split
from appliance.evaluation.rates import REPLICATES, Indices, Rate, plain_rate, repeated_rate
from appliance.evaluation.report import Verdicts
from appliance.values import Box, FloatArray, ModelId, SubjectId, SubjectScores, Verdict

_BOX = Box(0, 0, 1, 1)
"""Where the face of a photo is does not matter to the rule."""


def try_rule(
    composition: str,
    rule: Policy,
    divided: Sequence[Split],
    by_model: Mapping[ModelId, FloatArray],
    *,
    photos: EmbeddedFolder,
    seed: int,
    replicates: int = REPLICATES,
) -> Verdicts:
    """The rule on each search, its probes as frames that lie far enough apart to be independent.

    Args:
        composition: The rule's, for the report.
        rule: With the wanted FPIR.
        divided: Whom to enrol and whom to search by what, at least one split.
        by_model: Every photo's score with every photo, (p, p), for each model of the rule.
        photos: Their qualities weigh the frames.
        seed: Of the intervals.
        replicates: Of the bootstrap.
    """
    said: dict[bool, list[tuple[Verdict, bool, int, int]]] = {True: [], False: []}
    models = {model: by_model[model] for model in rule.models}
    for split in divided:
        names = tuple(SubjectId(f"{person:06}") for person in split.enrolled)
        place = {name: int(person) for name, person in zip(names, split.enrolled, strict=True)}
        for mated, people, probes in (
            (True, split.enrolled, split.mated),
            (False, split.strangers, split.nonmated),
        ):
            for person, frames in zip(people, _frames(models, split, probes, names, photos), strict=True):
                concluded = rule.conclude(frames, seen=len(frames))
                nearest = place[SubjectId(concluded.facts.candidates[0].subject)]
                said[mated].append((concluded.verdict, nearest == person, int(person), nearest))

    def rate(verdict: Verdict, *, mated: bool, right: bool | None = None) -> Rate:
        cases = said[mated]
        met = np.array([v is verdict and right in (None, own) for v, own, _, _ in cases], np.bool_)
        if len(divided) == 1:
            return plain_rate(int(met.sum()), len(met))
        person = np.array([each[2] for each in cases], np.int64)
        other = None if mated else np.array([each[3] for each in cases], np.int64)
        return repeated_rate(met, person, other, seed=seed, replicates=replicates)

    one = divided[0]
    return Verdicts(
        composition,
        one.references.shape[1],
        one.mated.shape[1],
        named=rate(Verdict.IDENTIFIED, mated=True, right=True),
        undecided=rate(Verdict.UNDECIDED, mated=True),
        stranger=rate(Verdict.STRANGER, mated=True),
        wrong=rate(Verdict.IDENTIFIED, mated=True, right=False),
        strangers_named=rate(Verdict.IDENTIFIED, mated=False),
        strangers_undecided=rate(Verdict.UNDECIDED, mated=False),
        strangers_stranger=rate(Verdict.STRANGER, mated=False),
    )


def _frames(
    by_model: Mapping[ModelId, FloatArray],
    split: Split,
    probes: Indices,
    names: tuple[SubjectId, ...],
    photos: EmbeddedFolder,
) -> Iterator[list[FrameEvidence]]:
    """The frames of each search: scores are means over each person's references, as the gallery's."""
    counts = np.full(len(names), split.references.shape[1], np.int64)
    ordinary = np.ones(len(names), np.float64)
    for each in probes:
        yield [
            FrameEvidence(
                sequence=number,
                at_s=number * INDEPENDENT_S,
                media_s=None,
                quality=float(photos.quality[photo]),
                box=_BOX,
                scores=SubjectScores(
                    names,
                    counts,
                    {model: table[photo][split.references].mean(axis=1) for model, table in by_model.items()},
                    0,
                    ordinary,
                ),
            )
            for number, photo in enumerate(each)
        ]
