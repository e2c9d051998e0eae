"""`appliance evaluate`: the appliance's own comparison, thresholds and rule, tried on a folder of photos.

Introduces matching and decision to the evaluation. Scores come from the gallery that the loop
searches, thresholds from the tables that the loop uses, verdicts from the rule that the loop follows;
only the searches are of photos instead of frames.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from appliance.app.embedded_folder import EmbeddedFolder
from appliance.decision import ErrorTables, FrameEvidence, Policy
from appliance.decision.rule import INDEPENDENT_S, WEIGHTS
from appliance.errors import InputError
from appliance.evaluation.det import curve
from appliance.evaluation.identification import Searches, Split, enough, search, splits
from appliance.evaluation.plots import Panel, Trade, draw_det
from appliance.evaluation.rates import REPLICATES, Indices, Rate, plain_rate, repeated_rate
from appliance.evaluation.report import Impossible, Material, Report, Row, Verdicts
from appliance.matching import Gallery
from appliance.models.folder import ModelFolder
from appliance.settings import RecognitionSettings, Settings
from appliance.values import Box, FaceTemplate, FloatArray, ModelId, SubjectId, SubjectScores, Verdict

COMBINATIONS = ((1, 1), (1, 3), (2, 2), (3, 1), (3, 3))
"""References and probes of the rows. Two and two are what four photos allow beside the measured tables."""
COMPOSITIONS = ("fused", "sface", "dlib-mirror", "dlib")
VERDICT_ROUNDS = 10
"""Rounds that the whole rule is tried on: it decides search by search, a fifth of a millisecond each."""

_WEIGHTS = ("yunet", "dlib-shape-5", "dlib-resnet", "sface")
_BOX = Box(0, 0, 1, 1)
"""Where the face of a photo is does not matter to the rule."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes:
        enrolled: N, or None for half of the people.
        strangers: M, or None for the rest.
        fpir: Wanted.
        rounds: Random splits.
        seed: Of splits and intervals.
        replicates: Of the bootstrap.
        every_face: The photos include faces that enrolment would refuse; said in the report.
    """

    enrolled: int | None = None
    strangers: int | None = None
    fpir: float = 0.01
    rounds: int = 100
    seed: int = 1
    replicates: int = REPLICATES
    every_face: bool = False


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came out.

    Attributes:
        report: Rates, verdicts, what was not possible.
        searches: (composition, references, probes) → all searches, for plots.
    """

    report: Report
    searches: Mapping[tuple[str, int, int], Searches] = field(default_factory=dict)


def embedding_weights(settings: Settings) -> dict[str, str]:
    """The weights that find, align and embed faces: model id → sha256, as the manifest says.

    Raises:
        ModelError: The manifest cannot be read.
    """
    manifest = ModelFolder(settings.models.directory).manifest
    return {name: manifest.model(name).sha256 for name in _WEIGHTS}


def steps() -> int:
    """How often `measure` tells that it got on."""
    return len(COMBINATIONS) * len(COMPOSITIONS)


def measure(
    photos: EmbeddedFolder,
    tables: ErrorTables,
    recognition: RecognitionSettings,
    plan: Plan,
    *,
    date: str,
    models: Mapping[str, str],
    tell: Callable[[], object] = lambda: None,
) -> Evaluation:
    """Measure every composition with every combination that the photos allow.

    Args:
        photos: Embedded for every model.
        tables: That thresholds are set by.
        recognition: Margin and stranger band of the verdicts.
        plan: What is wanted.
        date: For the report.
        models: For the report: id → sha256 of the weights.
        tell: Called `steps` times.

    Raises:
        InputError: Fewer people than asked for.
    """
    owned = photos.photos()
    enrolled, strangers = _sizes(owned, plan)
    by_model = {model: _all_scores(model, rows) for model, rows in photos.embeddings.items()}
    rows: list[Row] = []
    verdicts: list[Verdicts] = []
    impossible: list[Impossible] = []
    searches: dict[tuple[str, int, int], Searches] = {}
    for references, probes in COMBINATIONS:
        size = {"enrolled": enrolled, "strangers": strangers, "references": references, "probes": probes}
        if not enough(owned, **size):
            able = sum(len(of) >= references + probes for of in owned)
            impossible.append(Impossible(references, probes, references + probes, able))
            for _ in COMPOSITIONS:
                tell()
            continue
        divided = list(splits(owned, **size, rounds=plan.rounds, seed=plan.seed))
        for composition in COMPOSITIONS:
            found = search(_composed(composition, by_model), divided)
            searches[composition, references, probes] = found
            rows.append(_row(composition, references, probes, found, tables, plan))
            rule = Policy(
                recognition.model_copy(update={"composition": composition, "fpir": plan.fpir}), tables
            )
            tried = divided[:VERDICT_ROUNDS]
            verdicts.append(_verdicts(rule, composition, tried, by_model, photos, plan))
            tell()
    report = Report(
        date=date,
        models=models,
        material=Material(
            people=photos.people,
            people_used=len(owned),
            files=photos.files,
            used=len(photos.owner),
            several_faces=photos.several_faces,
            unusable=photos.reasons,
            every_face=plan.every_face,
        ),
        unusable=plain_rate(len(photos.refused), photos.files),
        enrolled=enrolled,
        strangers=strangers,
        rounds=plan.rounds,
        verdict_rounds=min(plan.rounds, VERDICT_ROUNDS),
        seed=plan.seed,
        replicates=plan.replicates,
        fpir=plan.fpir,
        margin=recognition.margin,
        stranger_band=recognition.stranger_band,
        rows=tuple(rows),
        verdicts=tuple(verdicts),
        impossible=tuple(impossible),
    )
    return Evaluation(report, searches)


def draw(evaluation: Evaluation) -> tuple[bytes, bytes] | None:
    """The DET plot as PNG and SVG: fewest photos and most, or None where there are no strangers."""
    report = evaluation.report
    possible = sorted({(row.references, row.probes) for row in report.rows if not row.fewer})
    if not possible or not report.strangers:
        return None
    chosen = (possible[0], possible[-1]) if len(possible) > 1 else (possible[0],)
    panels = [
        Panel(
            f"{references} reference{'s' * (references > 1)} each, {probes} probe{'s' * (probes > 1)}",
            [
                Trade(
                    row.composition,
                    curve(evaluation.searches[row.composition, references, probes]),
                    row.fpir,
                    row.fnir,
                )
                for row in report.rows
                if (row.references, row.probes) == (references, probes)
            ],
        )
        for references, probes in chosen
    ]
    return draw_det(
        panels,
        wanted=report.fpir,
        title=f"{report.enrolled} people enrolled, {report.strangers} strangers",
        note=f"Marks: the appliance's threshold for a wanted FPIR of {100 * report.fpir:g} %, "
        "with 95 % intervals.",
    )


def _sizes(owned: Sequence[Indices], plan: Plan) -> tuple[int, int]:
    """N and M.

    Raises:
        InputError: There are not so many people.
    """
    able = sum(len(of) >= 2 for of in owned)  # noqa: PLR2004 - a reference and a probe
    if not able:
        raise InputError(
            "nobody has two usable photos: one to enrol and one to be searched by",
            hint="add a second photo of some people, taken on another day",
        )
    enrolled = min(able, max(1, len(owned) // 2)) if plan.enrolled is None else plan.enrolled
    if enrolled > able:
        raise InputError(
            f"{enrolled} people are to be enrolled, and {able} have two usable photos",
            hint=f"try: appliance evaluate FOLDER --people {able}",
        )
    left = len(owned) - enrolled
    strangers = left if plan.strangers is None else plan.strangers
    if strangers > left:
        raise InputError(
            f"{strangers} strangers are asked for, and beside {enrolled} enrolled there are {left} people",
            hint=f"try: appliance evaluate FOLDER --people {enrolled} --strangers {left}",
        )
    return enrolled, strangers


def _all_scores(model: ModelId, rows: FloatArray) -> FloatArray:
    """Every photo against every photo, as the gallery compares them, float32 (p, p)."""
    gallery = Gallery.of_matrix(model, rows)
    return np.stack([gallery.compare({model: FaceTemplate(model, row)}).by_model[model] for row in rows])


def _composed(composition: str, by_model: Mapping[ModelId, FloatArray]) -> FloatArray:
    """One composition's scores, float32 (p, p)."""
    weighted = (np.float32(weight) * by_model[model] for model, weight in WEIGHTS[composition].items())
    total: FloatArray = sum(weighted, start=np.float32(0))  # type: ignore[assignment]
    return total


def _row(
    composition: str, references: int, probes: int, found: Searches, tables: ErrorTables, plan: Plan
) -> Row:
    point = tables.operating_point(
        composition, references=references, probes=probes, gallery_size=found.enrolled, fpir=plan.fpir
    )
    own = found.threshold_at(plan.fpir)
    drawn = {"seed": plan.seed, "replicates": plan.replicates}
    return Row(
        composition=composition,
        references=references,
        probes=probes,
        table=(point.references, point.probes),
        threshold=point.threshold,
        extrapolated=point.extrapolated,
        fpir=found.fpir(point.threshold, **drawn),
        fnir=found.fnir(point.threshold, **drawn),
        predicted_fnir=point.fnmr,
        measured_threshold=own,
        measured_fnir=None if own is None else found.fnir(own, **drawn),
    )


def _verdicts(
    rule: Policy,
    composition: str,
    divided: Sequence[Split],
    by_model: Mapping[ModelId, FloatArray],
    photos: EmbeddedFolder,
    plan: Plan,
) -> Verdicts:
    """The rule on each search, its probes as frames that lie far enough apart to be independent."""
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
                nearest = place[concluded.facts.candidates[0].subject]
                said[mated].append((concluded.verdict, nearest == person, int(person), nearest))

    def rate(verdict: Verdict, *, mated: bool, right: bool | None = None) -> Rate:
        cases = said[mated]
        met = np.array([v is verdict and right in (None, own) for v, own, _, _ in cases], np.bool_)
        if len(divided) == 1:
            return plain_rate(int(met.sum()), len(met))
        person = np.array([each[2] for each in cases], np.int64)
        other = None if mated else np.array([each[3] for each in cases], np.int64)
        return repeated_rate(met, person, other, seed=plan.seed, replicates=plan.replicates)

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
