"""The decision: an encounter's comparison scores in, verdicts with reasons out.

Pure: no I/O, no clock, no pictures. Thresholds come from measured error rates (`tables`),
the rule is `policy`, and `encounter` says when which grade is due.
"""

from appliance.decision.encounter import Encounter, GradedDecision
from appliance.decision.policy import Conclusion, FrameEvidence, Policy
from appliance.decision.tables import ErrorTables, OperatingPoint

__all__ = [
    "Conclusion",
    "Encounter",
    "ErrorTables",
    "FrameEvidence",
    "GradedDecision",
    "OperatingPoint",
    "Policy",
]
