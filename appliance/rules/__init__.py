"""Rules: on which events, under which conditions, what is done. Pure; keeping and doing are for others."""

from appliance.rules.dry_run import DryRun, Happened, Told, begins, dry_run
from appliance.rules.engine import Due, RuleEngine, due_of
from appliance.rules.judging import Fact, MemoryPast, Past, Reason, fact, judge
from appliance.rules.rule import (
    MOST_ACTIONS,
    TRIGGERS,
    Action,
    CallWebhook,
    Conditions,
    Hours,
    PlaySong,
    PublishMqtt,
    RecordVideo,
    Rule,
    RunCommand,
    ShowOnScreen,
    Unlock,
    parse_rule,
)

__all__ = [
    "MOST_ACTIONS",
    "TRIGGERS",
    "Action",
    "CallWebhook",
    "Conditions",
    "DryRun",
    "Due",
    "Fact",
    "Happened",
    "Hours",
    "MemoryPast",
    "Past",
    "PlaySong",
    "PublishMqtt",
    "Reason",
    "RecordVideo",
    "Rule",
    "RuleEngine",
    "RunCommand",
    "ShowOnScreen",
    "Told",
    "Unlock",
    "begins",
    "dry_run",
    "due_of",
    "fact",
    "judge",
    "parse_rule",
]
