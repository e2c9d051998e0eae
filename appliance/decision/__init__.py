"""The decision: an encounter's comparison scores in, verdicts with reasons out.

Pure: no I/O, no clock, no pictures. Thresholds come from measured error rates (`tables`),
`policy` makes the shortlist, `rule` concludes, `encounter` says when which grade is due, and
`recompute` concludes again from what was stored.
"""

from appliance.decision.encounter import Encounter, GradedDecision
from appliance.decision.policy import FrameEvidence, Policy
from appliance.decision.recompute import Changes, Obstacle, obstacle, recompute
from appliance.decision.rule import Conclusion
from appliance.decision.tables import ErrorTables, OperatingPoint

__all__ = [
    "Changes",
    "Conclusion",
    "Encounter",
    "ErrorTables",
    "FrameEvidence",
    "GradedDecision",
    "Obstacle",
    "OperatingPoint",
    "Policy",
    "obstacle",
    "recompute",
]
