"""`appliance retention …`: a plan that changes nothing, and a run that does what it said."""

import json
from typing import Any


def test_the_plan_says_what_goes_and_why_and_the_run_does_it(box: Any) -> None:
    """In words and as JSON; afterwards nothing is due."""
    box.settings("[evidence]\nexpire_days = 0.000001\n[captures.s3]\nbucket = 'ours'\n")
    words = box.call("retention", "plan").out
    planned = json.loads(box.call("retention", "plan", "--json").out)
    went = json.loads(box.call("retention", "run", "--json").out)

    assert box.capture in words
    assert "its time is over" in words
    assert "1 of these captures have no verified copy in the bucket" in words
    assert "photos    none are kept" in words
    assert [(box.capture, "captures", "expired")] == [
        (each["what"], each["class"], each["reason"]) for each in planned["goes"]
    ]
    assert [False] == [each["copied"] for each in planned["goes"]]
    assert planned["database_bytes"] > 0
    assert planned["goes"] == went
    assert "nothing is due to go" in box.call("retention", "plan").out
    assert "nothing was due to go" in box.call("retention", "run").out
    assert "no captures are stored" in box.call("captures", "list").out
    assert 0 == box.call("events", "verify").code
