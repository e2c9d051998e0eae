"""People as pages and the API show them: cards, profiles, what the gallery risks, in words and as JSON.

Changes nothing. When somebody was last recognised is told only of who agreed to it (the purpose
`last_seen`): nobody's comings are published by default.
"""

from collections.abc import Sequence
from typing import Any

from appliance.app.desk.naming import LAST_SEEN
from appliance.evaluation.leave_one_out import Outcome
from appliance.evaluation.safety import LOW_QUALITY, SafetyReport
from appliance.evaluation.safety_words import as_json as report_json
from appliance.evaluation.safety_words import promise
from appliance.store import KeptConsent, Reference, Store, Subject
from appliance.values import SubjectId
from enroll.consent import PURPOSES
from enroll.describing import consent_json, person_json, reference_json, time_json
from enroll.erasing import REMAINS
from enroll.telling import Names

MOST_LISTED = 50
"""Of each kind of finding; whoever wants all asks `appliance enroll report --json`."""


def cards(store: Store, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """A card for each of these people."""
    best: dict[SubjectId, float] = {}
    for owner, quality in store.owned_qualities():
        best[owner] = max(quality, best.get(owner, 0.0))
    return [_card(store, subject, best.get(subject.id)) for subject in subjects]


def card(store: Store, subject: Subject) -> dict[str, Any]:
    """One person's card."""
    found = store.references(subject.id)
    return _card(store, subject, max((each.quality for each in found), default=None))


def _card(store: Store, subject: Subject, best: float | None) -> dict[str, Any]:
    """A card; `quality` is that of the best reference, 0 to 100, and `needs` what would help, by code."""
    needs = []
    if subject.references <= 1:
        needs.append("one_reference" if subject.references else "no_reference")
    if best is not None and best < LOW_QUALITY:
        needs.append("low_quality")
    return {
        **person_json(subject),
        "quality": None if best is None else round(best),
        "needs": needs,
        "last_seen": last_seen(store, subject),
    }


def last_seen(store: Store, subject: Subject) -> str | None:
    """When somebody was last recognised, if they agreed that it is told; None: not told, or never."""
    if LAST_SEEN not in subject.purposes:
        return None
    found = store.events(types=("subject_identified",), subject=subject.id, newest_first=True, limit=1)
    return time_json(found[0].at) if found else None


def profile(store: Store, subject: Subject, report: SafetyReport, *, forms: bool) -> dict[str, Any]:
    """Everything about one person, and what the safety report says of them.

    Args:
        store: Opened, with a key.
        subject: Who.
        report: Of everybody.
        forms: Whether how they agreed (`given_by`: where a form lies, who was there) is for who asks.
    """
    names = Names.of(store)
    references = store.references(subject.id)
    return {
        **card(store, subject),
        "consents": [_consent(each, forms=forms) for each in store.consents(subject.id)],
        "reference_list": [_reference(each, report) for each in references],
        "purpose_words": PURPOSES,
        "alike": [
            {
                "subject": other,
                "name": names(other),
                "score": round(pair.score, 4),
                "threshold": round(pair.threshold, 4),
                "confusable": pair.confusable,
                "taken_for": pair.one == subject.id,
            }
            for pair in report.pairs
            if subject.id in {pair.one, pair.other}
            for other in [pair.other if pair.one == subject.id else pair.one]
        ][:MOST_LISTED],
        "remains": list(REMAINS),
    }


def _consent(consent: KeptConsent, *, forms: bool) -> dict[str, Any]:
    said = consent_json(consent)
    return said if forms else {**said, "given_by": None}


def _reference(reference: Reference, report: SafetyReport) -> dict[str, Any]:
    """A reference, where it came from, and how it does when it is held against the others."""
    outcome = next((each.outcome for each in report.trials if each.reference == reference.id), None)
    origin = (reference.details or {}).get("origin")
    return {
        **reference_json(reference),
        "origin": origin if isinstance(origin, str) else None,
        "outcome": None if outcome is None else outcome.value,
    }


def safety(report: SafetyReport, names: Names) -> dict[str, Any]:
    """What the gallery risks: the promise in one sentence, and everything it rests on."""
    whole = report_json(report, names)
    tried = whole["leave_one_out"]
    lists = {
        key: whole[key][:MOST_LISTED]
        for key in ("alike", "one_reference", "low_quality", "no_reference", "stricter")
    }
    return {
        **whole,
        **lists,
        "leave_one_out": {**tried, "not_identified": tried["not_identified"][:MOST_LISTED]},
        "promise": promise(report) if report.people else "nobody can be recognised yet",
        "confusable_pairs": sum(pair.confusable for pair in report.pairs),
    }


def safety_in_short(report: SafetyReport, names: Names) -> dict[str, Any]:
    """The promise, and what should be mended first, for after a change."""
    sure = [pair for pair in report.pairs if pair.confusable]
    mistaken = report.outcomes.get(Outcome.MISTAKEN, 0)
    concerns = []
    if sure:
        one, other = names(sure[0].one), names(sure[0].other)
        more = f" and {len(sure) - 1} more such pairs" if len(sure) > 1 else ""
        concerns.append(f"{one} could be taken for {other}{more}")
    if mistaken:
        concerns.append(f"{mistaken} of the pictures would be taken for somebody else")
    if report.single:
        count = len(report.single)
        who = "1 person has" if count == 1 else f"{count:,} people have"
        concerns.append(f"{who} one picture only; a second and third help most")
    return {
        "promise": promise(report) if report.people else "nobody can be recognised yet",
        "people": report.people,
        "references": report.references,
        "fpir": report.rule.fpir,
        "concerns": concerns,
    }
