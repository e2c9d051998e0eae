"""The decision: an encounter's comparison scores in, verdicts with reasons out.

Pure: no I/O, no clock, no pictures. Thresholds come from measured error rates (`tables`),
`policy` makes the shortlist, `rule` concludes, `encounter` says when which grade is due, `continuity`
whether it is still the same face, and `recompute` concludes again from what was stored.
"""

from appliance.decision.encounter import Encounter, GradedDecision, Sighting
from appliance.decision.explanation import explained
from appliance.decision.policy import FrameEvidence, Policy
from appliance.decision.reasons import RULES, reasons
from appliance.decision.recompute import (
    DECIDED,
    Changes,
    Decided,
    Obstacle,
    Rejudging,
    obstacle,
    recompute,
    verdict_of,
)
from appliance.decision.rule import Conclusion
from appliance.decision.tables import ErrorTables, OperatingPoint
from appliance.decision.telling import Likeness, Told, told

__all__ = [
    "DECIDED",
    "RULES",
    "Changes",
    "Conclusion",
    "Decided",
    "Encounter",
    "ErrorTables",
    "FrameEvidence",
    "GradedDecision",
    "Likeness",
    "Obstacle",
    "OperatingPoint",
    "Policy",
    "Rejudging",
    "Sighting",
    "Told",
    "explained",
    "obstacle",
    "reasons",
    "recompute",
    "told",
    "verdict_of",
]
