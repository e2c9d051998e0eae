"""`appliance evaluate`: the appliance's own comparison, thresholds and rule, tried on a folder of photos.

Introduces matching and decision to the evaluation. Scores come from the gallery that the loop
searches, thresholds from the tables that the loop uses, verdicts from the rule that the loop follows;
only the searches are of photos instead of frames.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from appliance.app.embedded_folder import EmbeddedFolder
from appliance.app.rule_trials import try_rule
from appliance.decision import ErrorTables, Policy
from appliance.decision.rule import WEIGHTS
from appliance.errors import InputError
from appliance.evaluation.det import curve
from appliance.evaluation.identification import Searches, enough, search, splits
from appliance.evaluation.plots import Panel, Trade, draw_det
from appliance.evaluation.rates import REPLICATES, Indices, plain_rate
from appliance.evaluation.report import Impossible, Material, Report, Row, Verdicts
from appliance.matching import Gallery
from appliance.models.folder import ModelFolder
from appliance.settings import RecognitionSettings, Settings
from appliance.values import FaceTemplate, FloatArray, ModelId

COMBINATIONS = ((1, 1), (1, 3), (2, 2), (3, 1), (3, 3))
"""References and probes of the rows. Two and two are what four photos allow beside the measured tables."""
COMPOSITIONS = ("fused", "sface", "dlib-mirror", "dlib")
VERDICT_SEARCHES = 2500
"""Searches of each row that the whole rule is tried on, at most, but one round at least: it decides one by
one, and so many take a second."""

_WEIGHTS = ("yunet", "dlib-shape-5", "dlib-resnet", "sface")


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

    Every photo's score with every photo is held for three models, and summed up for one composition at a
    time: 20 bytes for each pair of photos, 0.5 GB for `MAX_PHOTOS`.

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
    tried_rounds = max(1, min(plan.rounds, VERDICT_SEARCHES // (enrolled + strangers)))
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
            rows.append(_row((composition, references, probes), found, tables, plan))
            rule = Policy(
                recognition.model_copy(update={"composition": composition, "fpir": plan.fpir}), tables
            )
            tried = divided[:tried_rounds]
            verdicts.append(
                try_rule(
                    composition,
                    rule,
                    tried,
                    by_model,
                    photos=photos,
                    seed=plan.seed,
                    replicates=plan.replicates,
                )
            )
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
            unreadable_folders=photos.unreadable,
        ),
        unusable=plain_rate(len(photos.refused), photos.files),
        enrolled=enrolled,
        strangers=strangers,
        rounds=plan.rounds,
        verdict_rounds=tried_rounds,
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
            command=f"try: appliance evaluate FOLDER --people {able}",
        )
    left = len(owned) - enrolled
    strangers = left if plan.strangers is None else plan.strangers
    if strangers > left:
        raise InputError(
            f"{strangers} strangers are asked for, and beside {enrolled} enrolled there are {left} people",
            command=f"try: appliance evaluate FOLDER --people {enrolled} --strangers {left}",
        )
    return enrolled, strangers


def _all_scores(model: ModelId, rows: FloatArray) -> FloatArray:
    """Every photo against every photo, as the gallery compares them, float32 (p, p)."""
    gallery = Gallery.of_matrix(model, rows)
    scores = np.empty((len(rows), len(rows)), np.float32)
    for place, row in enumerate(rows):
        scores[place] = gallery.compare({model: FaceTemplate(model, row)}).by_model[model]
    return scores


def _composed(composition: str, by_model: Mapping[ModelId, FloatArray]) -> FloatArray:
    """One composition's scores, float32 (p, p)."""
    total = np.zeros_like(next(iter(by_model.values())))
    for model, weight in WEIGHTS[composition].items():
        total += np.float32(weight) * by_model[model]
    return total


def _row(kind: tuple[str, int, int], found: Searches, tables: ErrorTables, plan: Plan) -> Row:
    composition, references, probes = kind
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
