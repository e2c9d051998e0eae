"""What `appliance demo` writes, settings and rules, held against the scene that it plays and each other."""

from appliance.camera.scene import DEFAULT_SCRIPT
from appliance.camera.scene_script import WALK_S
from appliance.cli.demo import RULES, SETTINGS
from appliance.rules import parse_rule
from appliance.settings.source import parse


def test_everybody_is_greeted_once_a_round() -> None:
    """Each time the scene comes round; but whom a busy machine loses from sight on the way is still here."""
    repeat_after_s = parse(
        SETTINGS.format(recipient='"age1"', port=0, output="off")
    ).encounters.repeat_after_s

    assert WALK_S < repeat_after_s
    assert repeat_after_s < DEFAULT_SCRIPT.duration_s - 2 * WALK_S


def test_what_a_trigger_sees_is_recorded_where_it_is_seen() -> None:
    """So that what is seen leads from the moments to its video, on the recorder alone."""
    settings = parse(SETTINGS.format(recipient='"age1"', port=0, output="off"))
    labels = {trigger.label for watch in settings.objects for trigger in watch.triggers}
    rules = [parse_rule(rule) for rule in RULES]
    recorded = {
        label
        for rule in rules
        if rule.on == "object_seen" and rule.actions[0].kind == "record"
        for label in rule.when.labels
    }

    assert labels
    assert labels == recorded
    assert not settings.video.kvs.enabled
