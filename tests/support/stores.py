"""Plain values for the store's tests: stores, events, consents, templates, and a look behind them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from seals import ToySeal
from sqlalchemy import text

from appliance.clock import ManualClock
from appliance.events import ActionOutcome, DecisionFacts, DoorChanged, SubjectIdentified
from appliance.ids import seeded_ids
from appliance.rules import RuleEngine
from appliance.store import Consent, Counter, Delivery, Seal, Store, Subscription
from appliance.store.database import make_engine
from appliance.values import DLIB, SFACE, DoorState, FaceTemplate, Grade, ModelId, Templates

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
OPENED = DoorChanged(type="door_opened", state=DoorState.OPEN, fraction=0.25, camera="entrance", door="main")
SHUT = DoorChanged(type="door_shut", state=DoorState.SHUT, fraction=0.625, camera="entrance", door="main")
AGREED = Consent(purposes=("identify",), text_version="2026-01", given_by="Ann herself, on paper")


def store(
    address: str,
    *,
    device: str = "box",
    seal: Seal | None = None,
    sealed: bool = True,
    clock: ManualClock | None = None,
    subscriptions: Sequence[Subscription] = (),
    counters: Sequence[Counter] = (),
    rules: RuleEngine | None = None,
    patience_s: float = 5.0,
    seed: int = 1,
    head_file: Path | None = None,
) -> Store:
    """A store that is not open yet; with a toy seal unless `sealed` says none."""
    return Store(
        address,
        device=device,
        boot="first",
        clock=clock or ManualClock(NOON),
        seal=(seal or ToySeal()) if sealed else None,
        ids=seeded_ids(seed),
        subscriptions=subscriptions,
        counters=counters,
        rules=rules,
        patience_s=patience_s,
        head_file=head_file,
    )


def on(
    *types: str,
    action: str = "act",
    grade: str | None = None,
    delivery: Delivery = Delivery.AT_LEAST_ONCE,
    deadline_s: float = 30.0,
) -> Subscription:
    """A subscription to these event types."""
    return Subscription(action, frozenset(types), grade, delivery, deadline_s)


def identified(
    subject: str = "s",
    *,
    grade: Grade = Grade.GREETING,
    repeated: bool = False,
    score: float = 0.5,
    encounter: str = "e",
) -> SubjectIdentified:
    """A decision for a subject."""
    facts = DecisionFacts(
        rule="score_and_margin",
        composition="fused",
        score=score,
        threshold=0.1,
        margin=None,
        margin_wanted=0.05,
        stranger_band=0.04,
        fpir=0.001,
        looks=1,
        table=(1, 1),
        fnmr=0.02,
        extrapolated=False,
        gallery_size=1,
        gallery_version=1,
        references=1,
        frames_seen=1,
        candidates=(),
        frames=(),
    )
    return SubjectIdentified(
        encounter=encounter, grade=grade, facts=facts, subject=subject, repeated=repeated
    )


def types(log: Store) -> list[str]:
    """What was logged, by type."""
    return [event.type for event in log.events()]


def dead_letter(action: str = "act") -> ActionOutcome:
    """An action's end as an event."""
    return ActionOutcome(type="action_dead", action=action, event="e", reason="no such program")


def face(value: float = 0.5, models: Sequence[ModelId] = (DLIB, SFACE)) -> Templates:
    """One template per model, every number the same."""
    return {model: FaceTemplate(model, np.full(128, value, np.float32)) for model in models}


def sql(address: str, statement: str, **values: Any) -> list[Any]:
    """Do to the database what somebody with its file and no program of ours could do."""
    engine = make_engine(address)
    try:
        with engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return list(result) if result.returns_rows else []
    finally:
        engine.dispose()
