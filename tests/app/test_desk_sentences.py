"""What happened, in sentences for whoever runs an office: one for each event, and no inside word in any."""

import re
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from appliance.actions.unlock_policy import Reason
from appliance.app.desk.sentences import Names, sentence
from appliance.dispatch.wording import describe
from appliance.events import AnyEvent, Event, event_types, parse_event

ANN = "019b8f3c-7e57-7abc-8def-0123456789ab"
BEN = "0190a5bc-0000-7000-8000-0000000badbe"
GONE = "0190a5bc-0000-7000-8000-00000000dead"
THINGS = {"r": "Greet", "g": "Night", "so": "Chime"}
NAMES = Names(
    {ANN: "Ann", BEN: "Ben"}.get, {"o": "Vera"}.get, {"t": "coffee"}.get, {"s": "Hall"}.get, THINGS.get
)
NOBODY = Names(*(lambda _: None,) * 4)
FACTS: dict[str, Any] = {
    "rule": "score_and_margin",
    "composition": "fused",
    "score": 0.8,
    "threshold": 0.6,
    "margin": 0.3,
    "margin_wanted": 0.05,
    "stranger_band": 0.04,
    "looks": 1,
    "table": (1, 1),
    "fnmr": 0.02,
    "fpir": 0.001,
    "extrapolated": False,
    "gallery_size": 2,
    "gallery_version": 1,
    "references": 1,
    "frames_seen": 3,
    "candidates": [],
    "frames": [],
}
DECIDED: dict[str, Any] = {"encounter": "e", "grade": "confirmed", "facts": FACTS, "door": "front"}
SEALED: dict[str, Any] = {
    "encounter": "e",
    "capture": GONE,
    "file": "f.age",
    "sha256": "0" * 64,
    "size_bytes": 145_408,
    "frames": 3,
    "recipients": ["SHA256:a", "SHA256:b"],
    "expires_at": datetime(2026, 2, 4, 12, tzinfo=UTC),
}
AT: dict[str, Any] = {"door": "front"}
BY: dict[str, Any] = {"camera": "hall"}
THING: dict[str, Any] = {
    "trigger": "t",
    "label": "dog",
    "score": 0.9,
    "track": 3,
    "dwell_s": 2,
    "box": (1, 2, 3, 4),
    "model": "voc",
}
OPERATOR: dict[str, Any] = {"operator": "o", "role": "viewer"}
WRONG: dict[str, Any] = {"encounter": "e", "corrects": "d", "was": "identified", "was_subject": ANN}

SAID: list[tuple[str, dict[str, Any], str]] = [
    ("subject_identified", {**DECIDED, "subject": ANN}, "Ann came in"),
    ("subject_identified", {**DECIDED, "subject": ANN, "repeated": True}, "Ann is here again"),
    (
        "subject_identified",
        {**DECIDED, "subject": GONE, "door": None},
        "somebody who is no longer enrolled was seen",
    ),
    ("stranger_seen", DECIDED, "a stranger came in"),
    ("person_undecided", DECIDED, "left open who somebody was; no picture of them is kept"),
    (
        "decision_corrected",
        {**WRONG, "verdict": "identified", "subject": BEN},
        "somebody set it right: not Ann, but Ben",
    ),
    (
        "decision_corrected",
        {**WRONG, "verdict": "stranger"},
        "somebody set it right: not Ann, but a stranger",
    ),
    (
        "decision_corrected",
        {**WRONG, "verdict": "identified", "subject": ANN},
        "somebody said that it was right: Ann",
    ),
    (
        "decision_corrected",
        {"encounter": "e", "corrects": "d", "was": "undecided", "verdict": "unknown"},
        "somebody said that nobody can tell who it was",
    ),
    (
        "stranger_retracted",
        {"encounter": "e", "retracts": "d"},
        "no stranger after all: they were recognised, and their pictures are dropped",
    ),
    ("door_opened", {**AT, "state": "open", "fraction": 0.1}, "door front opened"),
    ("door_shut", {"state": "shut", "fraction": 0.9}, "the door shut"),
    (
        "door_unsure",
        {**AT, "state": "unsure", "fraction": 0.65},
        "it cannot be told whether door front is open",
    ),
    ("door_held_open", {**AT, "open_s": 300}, "door front has not been shut for 5 min"),
    ("camera_moved", BY, "camera hall was moved: it no longer shows what it did"),
    ("camera_covered", BY, "camera hall is covered"),
    ("camera_dark", BY, "camera hall sees nothing: it is dark"),
    ("camera_frozen", BY, "camera hall stands still: it sends the same picture again and again"),
    ("camera_clear", {**BY, "lasted_s": 9000}, "camera hall sees again after 2.5 h"),
    ("stranger_captured", SEALED, "3 pictures of a stranger were sealed to 2 keys, kept until 04 Feb 2026"),
    (
        "capture_skipped",
        {"encounter": "e", "reason": "no_recipient"},
        "no picture of the stranger was kept: no key is set to seal it to",
    ),
    (
        "capture_removed",
        {"capture": GONE, "reason": "cap"},
        "sealed pictures were deleted: room was needed for newer ones",
    ),
    ("camera_lost", {**BY, "reason": "ffmpeg -5"}, "camera hall gives no pictures any more"),
    ("camera_recovered", {**BY, "reason": "", "outage_s": 12}, "camera hall gives pictures again after 12 s"),
    ("process_started", {"process": "loop"}, "the part that watches the door was started"),
    ("process_stopped", {"process": "dispatch"}, "the part that carries out actions was stopped"),
    (
        "process_restarted",
        {"process": "models", "reason": "signal 9", "restarts": 3},
        "the part that looks at photos failed and was started again",
    ),
    ("subject_enrolled", {"subject": ANN}, "Ann was enrolled"),
    ("subject_renamed", {"subject": ANN}, "Ann has another name, initials or alias"),
    ("subject_paused", {"subject": ANN}, "Ann is not recognised for the time being"),
    ("subject_resumed", {"subject": ANN}, "Ann is recognised again"),
    (
        "subject_removed",
        {"subject": GONE},
        "somebody was removed, and their key destroyed",
    ),
    (
        "subject_merged",
        {"subject": ANN, "merged": GONE},
        "two enrolments were of one person and became one: Ann",
    ),
    (
        "subject_strictness_changed",
        {"subject": ANN, "strictness": 10},
        "a stranger is taken for Ann 10 times more rarely than for others",
    ),
    (
        "subject_strictness_changed",
        {"subject": ANN, "strictness": 1},
        "Ann is recognised as easily as everybody else again",
    ),
    (
        "reference_added",
        {"subject": ANN, "reference": "r", "models": ["dlib", "dlib-mirror", "sface"]},
        "a picture of Ann was added",
    ),
    ("reference_removed", {"subject": ANN, "reference": "r"}, "a picture of Ann was removed"),
    (
        "consent_given",
        {"subject": ANN, "purposes": ["identify", "greet"], "text_version": "1-0123456789ab"},
        "Ann agreed to being recognised at the door and being greeted on the office screen",
    ),
    (
        "consent_withdrawn",
        {"subject": ANN, "purposes": ["leaderboard"], "text_version": "1-0123456789ab"},
        "Ann no longer agrees to being counted in the leaderboard",
    ),
    (
        "settings_changed",
        {"keys": ["recognition.fpir", "cameras.entrance.source"]},
        "settings were changed: Recognition: Strangers taken for somebody and Cameras",
    ),
    (
        "settings_changed",
        {"keys": ["screen.theme", "screen.greeting_s", "faces.min_score", "web.host", "site"]},
        "settings were changed: Office screen, Faces, These pages and This place",
    ),
    (
        "device_key_changed",
        {"to": "passphrase"},
        "the device key was changed; the new one rests under a passphrase",
    ),
    (
        "log_pruned",
        {"up_to": 512, "events": 256, "reason": "size"},
        "256 old events went from the log: the log had grown to its limit",
    ),
    (
        "action_unknown",
        {"action": "song", "event": "e", "reason": "killed"},
        "the action “song” was interrupted; it may have been done, and is not done again",
    ),
    (
        "action_expired",
        {"action": "song", "event": "e", "reason": ""},
        "the action “song” would have come too late and was not done",
    ),
    (
        "action_dead",
        {"action": "song", "event": "e", "reason": ""},
        "the action “song” did not work and was given up",
    ),
    ("operator_added", OPERATOR, "Vera was admitted to these pages as a viewer"),
    ("operator_changed", {"operator": "o", "role": "admin"}, "Vera is an admin now"),
    ("operator_changed", {**OPERATOR, "disabled": True}, "Vera may not sign in for the time being"),
    ("operator_removed", OPERATOR, "Vera was shut out of these pages for good"),
    ("sign_in_link_made", {"operator": "o"}, "a link was made with which Vera chooses a password"),
    ("password_changed", {"operator": "o"}, "Vera has another password"),
    ("sign_in_throttled", {"scope": "address"}, "somebody tried to sign in too often and has to wait now"),
    (
        "sign_in_throttled",
        {"scope": "login", "operator": "o"},
        "somebody tried too often to sign in as Vera, and has to wait now",
    ),
    (
        "token_created",
        {"token": "t", "operator": "o", "scopes": ["log"]},
        "a token for a program, “coffee”, was made",
    ),
    (
        "token_revoked",
        {"token": "t", "operator": "o", "scopes": []},
        "a token for a program, “coffee”, was revoked",
    ),
    ("screen_paired", {"screen": "s"}, "an office screen, “Hall”, was paired"),
    ("screen_revoked", {"screen": "s"}, "an office screen, “Hall”, was disconnected for good"),
    ("door_calibrated", {**AT, "separation": 0.4}, "door front was set up"),
    ("rule_added", {"rule": "r"}, "a rule, “Greet”, was made"),
    ("rule_changed", {"rule": "r", "enabled": False}, "a rule, “Greet”, was changed and is switched off"),
    ("rule_removed", {"rule": "gone", "enabled": False}, "a rule was removed"),
    (
        "rule_tried",
        {"rule": "r", "subject": ANN},
        "a rule, “Greet”, was tried out on Ann; nothing is counted",
    ),
    ("group_added", {"group": "g"}, "a group of people, “Night”, was made"),
    ("group_changed", {"group": "g"}, "a group of people, “Night”, has another name"),
    ("group_removed", {"group": "gone"}, "a group of people was removed"),
    ("group_joined", {"group": "g", "subject": ANN}, "Ann joined a group of people “Night”"),
    ("group_left", {"group": "g", "subject": ANN}, "Ann left a group of people “Night”"),
    (
        "screen_asked",
        {"rule": "r", "rule_version": 1, "number": 0, "seconds": 8},
        "the office screens were asked to show a line of the rule “Greet”",
    ),
    (
        "screen_asked",
        {"rule": "gone", "rule_version": 1, "number": 0, "seconds": 8},
        "the office screens were asked to show a line",
    ),
    (
        "screen_asked",
        {"version": 1, "rule": "r", "text": "hello {alias}", "seconds": 8},
        "the office screens were asked to show “hello {alias}”",
    ),
    ("object_seen", {**BY, **THING}, "a dog was seen"),
    ("object_seen", {**BY, **THING, "label": "apple"}, "an apple was seen"),
    ("coffee_taken", {"encounter": "e", "subject": ANN}, "Ann took a coffee"),
    ("coffee_taken", {"encounter": "e", "visitor": 7}, "visitor 7 took a coffee"),
    ("coffee_corrected", {"corrects": "d", "subject": ANN}, "somebody said whose coffee it was: Ann"),
    ("coffee_corrected", {"corrects": "d", "was_subject": ANN}, "somebody said that there was no coffee"),
    ("coffee_added", {"subject": ANN}, "a coffee was added by hand: Ann"),
    ("song_added", {"song": "so"}, "a song, “Chime”, was added"),
    ("song_changed", {"song": "so"}, "a song, “Chime”, was changed"),
    ("song_removed", {"song": "gone"}, "a song was removed"),
    ("song_given", {"song": "so", "subject": ANN}, "Ann was given a song “Chime”"),
    ("song_taken_back", {"song": "so", "subject": ANN}, "Ann has no song any more"),
    ("song_started", {"song": "so", "output": "box", "subject": ANN}, "a song, “Chime”, began for Ann"),
    ("song_skipped", {"reason": "queue"}, "no song was played: others were being played"),
    ("song_stopped", {}, "the music was stopped"),
    (
        "function_deployed",
        {"function": "dogs", "network": ("a.example",), "contained": False},
        (
            "a function, “dogs”, was deployed; it may reach a.example; it is not held off from the rest of "
            "the box, which was accepted"
        ),
    ),
    ("function_removed", {"function": "dogs"}, "a function, “dogs”, was removed"),
    ("function_started", {"function": "dogs"}, "function “dogs” runs"),
    ("function_stopped", {"function": "dogs"}, "function “dogs” was stopped"),
    ("function_failed", {"function": "dogs"}, "function “dogs” failed and is started again after a pause"),
    (
        "function_failed",
        {"function": "dogs", "reason": "refused"},
        "function “dogs” was not started: this machine does not hold it off from the rest of the box",
    ),
    ("clip_begun", {"clip": GONE, "begin_ms": 1, "camera": "hall"}, "a clip of camera hall began"),
    (
        "clip_ended",
        {"clip": GONE, "begin_ms": 0, "end_ms": 65_000, "fragments": 33, "size_bytes": 9, "why": "complete"},
        "a clip of the camera, 65 s long, ended: its time was over",
    ),
    (
        "clip_failed",
        {"reason": "disk_full", "camera": "hall"},
        "no clip of camera hall was recorded: the disk is full, or cannot be written",
    ),
    (
        "clip_exported",
        {"clip": GONE, "camera": "hall"},
        "a clip of camera hall left the box as a file, in the clear",
    ),
    (
        "clip_deleted",
        {"clip": GONE, "reason": "age", "camera": "hall"},
        "a clip of camera hall was deleted: it was as old as clips may become",
    ),
    (
        "stream_trouble",
        {"stream": "dogs", "reason": "denied"},
        "video does not arrive at the stream “dogs”: the box is not allowed to",
    ),
    ("stream_recovered", {"stream": "dogs"}, "video arrives at the stream “dogs” again"),
    (
        "unlock_granted",
        {"lock": "front", "subject": ANN, "reason": "granted"},
        "lock front was told to open for Ann",
    ),
    (
        "unlock_refused",
        {"lock": "front", "subject": ANN, "reason": "pin_wrong"},
        "lock front stayed shut for Ann: the PIN was wrong",
    ),
    ("pin_set", {"subject": ANN}, "Ann has a new PIN"),
    ("pin_removed", {"subject": ANN}, "Ann has no PIN any more"),
    ("keypad_paired", {"keypad": "s", "lock": "front"}, "a keypad, “Hall”, of lock front was paired"),
    (
        "keypad_revoked",
        {"keypad": "s", "lock": "front"},
        "a keypad, “Hall”, of lock front was disconnected for good",
    ),
    (
        "pin_throttled",
        {"keypad": "s"},
        "wrong PINs came too often at a keypad, “Hall”, and it has to wait now",
    ),
    ("item_added", {"item": "cup-7"}, "an item, “cup-7”, was added to the catalogue"),
    ("item_changed", {"item": "cup-7"}, "an item, “cup-7”, was changed in the catalogue"),
    (
        "item_removed",
        {"item": "cup-7"},
        "an item, “cup-7”, was removed from the catalogue, with its pictures",
    ),
    ("items_import_begun", {"rows": 1200}, "an import of 1,200 items into the catalogue began"),
    (
        "items_imported",
        {"rows": 1200, "added": 1100, "changed": 60, "same": 38, "refused": 2},
        (
            "items were imported into the catalogue: 1,100 new, 60 changed, 38 there already, "
            "2 could not be taken"
        ),
    ),
    (
        "search_featurizer_changed",
        {"featurizer": "efficientnet-lite0:0123456789ab", "pictures": 1200},
        "the catalogue's 1,200 pictures are searched by “efficientnet-lite0” now",
    ),
    (
        "search_calibrated",
        {"featurizer": "efficientnet-lite0:0123456789ab", "pictures": 1200, "threshold": 0.514},
        "what counts as found in the catalogue was calibrated: what is found has at least 0.51",
    ),
]
INSIDE = re.compile(
    r"dlib|sface|reference|\bfill\b|process|\bloop\b|\bmodels\b|spool|retract|token \w{6}\b|person \w{6}\b"
    r"|operator|score|threshold|encounter|subject|purpose|_|\b\d-[0-9a-f]{6}|[0-9a-f]{8}-|%|ffmpeg|signal",
    re.IGNORECASE,
)
"""Words of the program, codes, and ends of ids."""


def made(kind: str, body: dict[str, Any]) -> Event:
    """An event of a type."""
    return parse_event({"type": kind, **body})


@pytest.mark.parametrize(("kind", "body", "words"), SAID)
def test_each_event_is_a_sentence(kind: str, body: dict[str, Any], words: str) -> None:
    """With names where they may be told."""
    assert words == sentence(made(kind, body), NAMES)


def test_no_event_is_without_a_sentence() -> None:
    """Whoever adds a type writes its sentence; the page falls back to the type's own name nowhere."""
    assert set(event_types()) == {kind for kind, _, _ in SAID}
    assert len(get_args(get_args(AnyEvent)[0])) > 20


@pytest.mark.parametrize("names", [NAMES, NOBODY])
def test_no_sentence_has_a_word_of_the_program_s(names: Names) -> None:
    """Neither a code nor the end of an id, whoever may be told by name; the exact words have them."""
    told = [sentence(made(kind, body), names) for kind, body, _ in SAID]
    exact = [describe(made(kind, body)) for kind, body, _ in SAID]

    assert [] == [each for each in told if INSIDE.search(each)]
    assert len([each for each in exact if INSIDE.search(each)]) > len(exact) / 3


def test_each_refusal_of_a_lock_is_explained() -> None:
    """Every reason there is has words of its own, and no two the same."""
    reasons = [each.value for each in Reason if each is not Reason.GRANTED]
    told = {sentence(made("unlock_refused", {"lock": "front", "reason": each}), NAMES) for each in reasons}

    assert len(reasons) == len(told)
    assert not any("it was not allowed" in each for each in told)
