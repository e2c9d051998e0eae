"""`appliance retention …`: a plan that changes nothing, and a run that does what it said."""

import json
from typing import Any

from recorded import clips_of
from video_pieces import BEGIN_MS

from appliance.services import Layout, open_services
from appliance.settings import Settings
from appliance.video.clip import About


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


def test_the_plan_names_the_clips_that_the_recorder_lets_go(box: Any) -> None:
    """By age, size and room as the settings say; it changes nothing, nor does the run, which says so."""
    with open_services(Settings(), Layout(box.state)) as services:
        clips = clips_of(services)
        clip = clips.begin("hall", 640, 360, About(), BEGIN_MS).id
        clips.add(clip, BEGIN_MS, 2_000, bytes(4_000))
        clips.end(clip, "complete")
    words = box.call("retention", "plan").out
    planned = json.loads(box.call("retention", "plan", "--json").out)["clips"]
    box.call("retention", "run")
    box.settings("[video]\nretention_days = 3650\n")
    kept = box.call("retention", "plan").out

    assert clip in words
    assert "its time is over" in words
    assert "the process that records lets them go" in words
    assert "moments   go by the hour" in words
    assert [("clips", clip, "age")] == [(each["class"], each["what"], each["reason"]) for each in planned]
    assert clip not in kept
    assert clip in box.call("clips", "list").out
