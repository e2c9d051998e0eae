"""Every event in words, for people at a terminal."""

import io
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.dispatch import Delivery, LineAction
from appliance.dispatch.wording import describe, line, person
from appliance.errors import ActionError
from appliance.events import Event, event_types, parse_event
from appliance.values import SubjectId
from appliance.writing import writable

ANN = "019b8f3c-7e57-7abc-8def-0123456789ab"
BEN = "0190a5bc-0000-7000-8000-0000000badbe"
AT = datetime(2026, 1, 5, 11, 3, 4, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "rule": "score_and_margin",
    "composition": "fused",
    "score": 0.8124,
    "threshold": 0.655,
    "margin": 0.31,
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
CAPTURED: dict[str, Any] = {
    "encounter": "e",
    "capture": "019b8f3c-7e57-7abc-8def-0000deadbeef",
    "file": "f.age",
    "sha256": "0" * 64,
    "size_bytes": 145_408,
    "frames": 3,
    "recipients": ["SHA256:a", "SHA256:b"],
    "expires_at": datetime(2026, 2, 4, 12, tzinfo=UTC),
    "door": "front",
}
WHY = "score 0.812, threshold 0.655, margin 0.310 of 0.050"

WORDS: dict[str, tuple[dict[str, Any], str]] = {
    "subject_identified": (
        {**DECIDED, "subject": ANN},
        f"Ann came in at front (confirmed: {WHY}, 3 good frames)",
    ),
    "stranger_seen": (DECIDED, f"a stranger came in at front (confirmed: {WHY}, 3 good frames)"),
    "person_undecided": (
        DECIDED,
        f"undecided about somebody at front (confirmed: {WHY}, 3 good frames); no image is kept",
    ),
    "decision_corrected": (
        {
            "encounter": "e",
            "corrects": "x",
            "was": "stranger",
            "verdict": "identified",
            "subject": ANN,
            "door": "front",
        },
        "corrected at front: said to be a stranger, really Ann",
    ),
    "settings_changed": (
        {"keys": ["recognition.fpir", "doors.front.seed"]},
        "2 settings changed: recognition.fpir, doors.front.seed",
    ),
    "device_key_changed": ({"to": "file"}, "the device key was changed; the new one rests in a file"),
    "log_pruned": (
        {"up_to": 512, "events": 256, "reason": "age"},
        "256 old events went, up to #512: their time was over",
    ),
    "door_calibrated": ({"door": "front", "separation": 0.934}, "door front was set up (93% apart)"),
    "stranger_retracted": (
        {"encounter": "e", "retracts": "x", "camera": "hall"},
        "no stranger after all by camera hall: the person was recognised; the image is dropped",
    ),
    "door_opened": ({"state": "open", "fraction": 0.12, "door": "front"}, "door front opened (fill 12%)"),
    "door_shut": ({"state": "shut", "fraction": 0.9}, "the door shut (fill 90%)"),
    "door_unsure": (
        {"state": "unsure", "fraction": 0.5, "door": "front"},
        "cannot tell whether door front is open (fill 50%)",
    ),
    "door_held_open": ({"open_s": 130.0, "door": "front"}, "door front has not been shut for 2 min"),
    "stranger_captured": (
        CAPTURED,
        "sealed a stranger's image at front: 3 frames, 142 KiB, to 2 recipients, kept until 2026-02-04",
    ),
    "capture_skipped": (
        {"encounter": "e", "reason": "no_recipient"},
        "no image of the stranger was kept: no recipient is set",
    ),
    "capture_removed": (
        {"capture": CAPTURED["capture"], "reason": "expired"},
        "sealed image adbeef was removed: its time is over",
    ),
    "camera_lost": ({"camera": "hall", "reason": "timed out"}, "camera hall is lost: timed out"),
    "camera_recovered": (
        {"camera": "hall", "reason": "", "outage_s": 42.4},
        "camera hall is back after 42 s",
    ),
    "camera_moved": ({"camera": "hall"}, "camera hall was moved: it no longer shows what it did"),
    "camera_covered": ({"camera": "hall"}, "camera hall is covered"),
    "camera_dark": ({"camera": "hall"}, "camera hall sees nothing, it is dark"),
    "camera_frozen": ({"camera": "hall"}, "camera hall sends the same picture again and again"),
    "camera_clear": ({"camera": "hall", "lasted_s": 61.0}, "camera hall sees again after 61 s"),
    "process_started": ({"process": "loop"}, "process loop started"),
    "process_stopped": ({"process": "loop", "reason": "exit 0"}, "process loop stopped: exit 0"),
    "process_restarted": (
        {"process": "loop", "reason": "killed by SIGKILL", "restarts": 1},
        "process loop restarted: killed by SIGKILL (1 restart so far)",
    ),
    "subject_enrolled": ({"subject": ANN}, "Ann was enrolled"),
    "subject_renamed": ({"subject": ANN}, "Ann has another name, initials or alias"),
    "subject_paused": ({"subject": ANN}, "Ann was paused"),
    "subject_resumed": ({"subject": ANN}, "Ann is recognised again"),
    "subject_removed": ({"subject": ANN}, "Ann was removed"),
    "subject_merged": (
        {"subject": ANN, "merged": "0190a5bc-0000-7000-8000-00000badcafe"},
        "Ann took over what was enrolled as person adcafe",
    ),
    "subject_strictness_changed": (
        {"subject": ANN, "strictness": 10},
        "Ann is now recognised 10 times as strictly as usual",
    ),
    "reference_added": (
        {"subject": ANN, "reference": "r", "models": ["dlib", "sface"]},
        "a reference was added to Ann (dlib, sface)",
    ),
    "reference_removed": ({"subject": ANN, "reference": "r"}, "a reference was removed from Ann"),
    "consent_given": (
        {"subject": ANN, "purposes": ["identify", "coffee"], "text_version": "2026-01"},
        "Ann gave consent: identify, coffee (text 2026-01)",
    ),
    "consent_withdrawn": (
        {"subject": ANN, "purposes": ["coffee"], "text_version": "2026-01"},
        "Ann withdrew consent: coffee (text 2026-01)",
    ),
    "action_unknown": (
        {"action": "song", "event": "e", "reason": "interrupted by a restart"},
        "action song was interrupted; it may have happened, and is not repeated: interrupted by a restart",
    ),
    "action_expired": (
        {"action": "song", "event": "e", "reason": ""},
        "action song came too late and was not done",
    ),
    "action_dead": (
        {"action": "hook", "event": "e", "reason": "exit 3"},
        "action hook failed for good: exit 3",
    ),
    "operator_added": (
        {"operator": BEN, "role": "admin", "by": ANN},
        f"operator 0badbe was admitted to the admin pages as an admin (by {ANN[-6:]})",
    ),
    "operator_changed": (
        {"operator": BEN, "role": "viewer", "disabled": True},
        "operator 0badbe is now a viewer and may not sign in",
    ),
    "operator_removed": (
        {"operator": BEN, "role": "viewer"},
        "operator 0badbe is no longer admitted to the admin pages",
    ),
    "sign_in_link_made": (
        {"operator": BEN},
        "a link was made that sets the password of operator 0badbe",
    ),
    "password_changed": ({"operator": BEN}, "operator 0badbe has another password"),
    "sign_in_throttled": (
        {"scope": "login"},
        "signing in was tried too often as a name that nobody has; it is slowed down",
    ),
    "token_created": (
        {"token": BEN, "operator": ANN, "scopes": ["log", "people"]},
        "token 0badbe was made (log, people)",
    ),
    "token_revoked": (
        {"token": BEN, "operator": ANN, "scopes": ["log"]},
        "token 0badbe was revoked (log)",
    ),
    "screen_paired": ({"screen": BEN}, "screen 0badbe was paired"),
    "screen_revoked": ({"screen": BEN}, "screen 0badbe is paired no more"),
    "rule_added": ({"rule": BEN}, "rule 0badbe was made"),
    "rule_changed": ({"rule": BEN, "enabled": False}, "rule 0badbe was changed and is switched off"),
    "rule_removed": ({"rule": BEN, "enabled": False}, "rule 0badbe was removed"),
    "rule_tried": ({"rule": BEN, "subject": ANN}, "rule 0badbe was tried on Ann; nothing is counted"),
    "group_added": ({"group": BEN}, "group 0badbe was made"),
    "group_changed": ({"group": BEN}, "group 0badbe has another name"),
    "group_removed": ({"group": BEN}, "group 0badbe was removed"),
    "group_joined": ({"group": BEN, "subject": ANN}, "Ann joined group 0badbe"),
    "group_left": ({"group": BEN, "subject": ANN}, "Ann left group 0badbe"),
    "screen_asked": (
        {"rule": BEN, "rule_version": 1, "number": 0, "seconds": 8, "subject": ANN},
        "the screens were asked to show a line about Ann for 8 s",
    ),
    "object_seen": (
        {
            "trigger": "t",
            "label": "dog",
            "score": 0.876,
            "track": 3,
            "dwell_s": 2,
            "box": (1, 2, 3, 4),
            "model": "voc",
            "camera": "hall",
        },
        "dog seen by camera hall for 2 s (88%, voc)",
    ),
    "coffee_taken": (
        {"encounter": "e", "subject": ANN, "score": 0.9, "camera": "kitchen"},
        "Ann took a coffee by camera kitchen (cup, 90%)",
    ),
    "coffee_corrected": (
        {"corrects": "d", "was_subject": BEN, "subject": ANN},
        "a coffee was corrected: said to be of person 0badbe, really Ann",
    ),
    "coffee_added": ({"subject": ANN}, "a coffee of Ann was added by hand"),
    "song_added": ({"song": BEN}, "song 0badbe was added"),
    "song_changed": ({"song": BEN}, "song 0badbe was changed"),
    "song_removed": ({"song": BEN}, "song 0badbe was removed"),
    "song_given": ({"song": BEN, "subject": ANN}, "Ann was given song 0badbe"),
    "song_taken_back": ({"song": BEN, "subject": ANN}, "Ann no longer has song 0badbe"),
    "song_started": ({"song": BEN, "output": "box", "subject": ANN}, "song 0badbe began for Ann (box)"),
    "song_skipped": (
        {"reason": "quiet_hours", "subject": ANN},
        "no song was played for Ann: these are quiet hours",
    ),
    "song_stopped": ({}, "the music was stopped"),
    "unlock_granted": (
        {"lock": "front", "subject": ANN, "reason": "granted", "pin": True},
        "lock front was told to open for Ann (with a PIN)",
    ),
    "unlock_refused": (
        {"lock": "front", "subject": ANN, "reason": "no_pin"},
        "lock front stays shut for Ann: no PIN was typed at the keypad",
    ),
    "pin_set": ({"subject": ANN}, "Ann has a new PIN"),
    "pin_removed": ({"subject": ANN}, "Ann has no PIN any more"),
    "keypad_paired": ({"keypad": BEN, "lock": "front"}, "keypad 0badbe was paired with lock front"),
    "keypad_revoked": ({"keypad": BEN, "lock": "front"}, "keypad 0badbe is no longer paired with lock front"),
    "function_deployed": (
        {"function": "dogs", "network": ("a.example",), "contained": False},
        "function dogs was deployed; it may reach a.example; it is not contained, which was accepted",
    ),
    "function_removed": ({"function": "dogs"}, "function dogs was removed"),
    "clip_begun": ({"clip": "019b8f3c-aaaaaa", "begin_ms": 1}, "clip aaaaaa began"),
    "clip_ended": (
        {
            "clip": "019b8f3c-aaaaaa",
            "begin_ms": 0,
            "end_ms": 65_000,
            "fragments": 33,
            "size_bytes": 3 * 1024 * 1024,
            "why": "longest",
        },
        ("clip aaaaaa of 65 s ended: a clip becomes no longer; another one goes on (33 fragments, 3.0 MiB)"),
    ),
    "clip_failed": (
        {"reason": "unusable", "camera": "hall"},
        "no clip was recorded by camera hall: nothing can be made of what the camera sends",
    ),
    "clip_exported": (
        {"clip": "019b8f3c-aaaaaa", "camera": "hall"},
        "clip aaaaaa by camera hall left the box as a file, in the clear",
    ),
    "clip_deleted": (
        {"clip": "019b8f3c-aaaaaa", "reason": "age"},
        "clip aaaaaa was deleted with its key: it was too old",
    ),
    "stream_trouble": (
        {"stream": "dogs", "reason": "denied", "fragments_lost": 2},
        (
            "stream dogs: what is recorded does not arrive: the credentials do not allow it (2 fragments "
            "given up)"
        ),
    ),
    "stream_recovered": ({"stream": "dogs"}, "stream dogs: what is recorded arrives again"),
    "function_started": ({"function": "dogs"}, "function dogs runs"),
    "function_stopped": ({"function": "dogs"}, "function dogs was stopped"),
    "function_failed": (
        {"function": "dogs", "reason": "silent"},
        "function dogs failed: it gave no sign of life",
    ),
    "item_added": ({"item": "cup-7"}, "item cup-7 was added to the catalogue"),
    "item_changed": ({"item": "cup-7"}, "item cup-7 was changed in the catalogue"),
    "item_removed": ({"item": "cup-7"}, "item cup-7 was removed from the catalogue"),
    "items_import_begun": ({"rows": 1200}, "an import of 1200 items began"),
    "items_imported": (
        {"rows": 1200, "added": 1100, "changed": 60, "same": 38, "refused": 2},
        "items imported: 1100 new, 60 changed, 38 there already, 2 refused",
    ),
    "search_featurizer_changed": (
        {"featurizer": "efficientnet-lite0:0123456789ab", "pictures": 1200},
        "process search compares the catalogue's 1200 pictures by efficientnet-lite0:0123456789ab now",
    ),
    "search_calibrated": (
        {"featurizer": "efficientnet-lite0:0123456789ab", "pictures": 1200, "threshold": 0.514},
        "the search's threshold was calibrated to 0.51",
    ),
    "pin_throttled": ({"keypad": BEN}, "wrong PINs came too often at keypad 0badbe; it is slowed down"),
}


def names(subject: SubjectId) -> str | None:
    """Knows Ann only."""
    return {ANN: "Ann"}.get(subject)


def made(kind: str, **more: Any) -> Event:
    """The event of the table, with fields changed."""
    return parse_event({"type": kind, **WORDS[kind][0], **more})


def test_every_event_type_has_words() -> None:
    """A new type does not get by without its line in this table."""
    assert set(event_types()) == set(WORDS)


@pytest.mark.parametrize("kind", WORDS)
def test_an_event_reads_as_its_line(kind: str) -> None:
    """Exactly these words."""
    assert WORDS[kind][1] == describe(made(kind), names)


@pytest.mark.parametrize("kind", [kind for kind, (body, _) in WORDS.items() if "subject" in body])
def test_no_name_is_shown_without_the_callback(kind: str) -> None:
    """Without it, or when it knows nobody, the end of the id stands in: UUIDv7s begin alike."""
    for callback in (None, lambda _: None):
        words = describe(made(kind), callback)

        assert "Ann" not in words
        assert "person 6789ab" in words


def test_a_line_begins_with_the_local_time() -> None:
    """HH:MM:SS of the zone asked for."""
    said = line(made("door_shut"), AT, zone=timezone(timedelta(hours=1)))

    assert "12:03:04  the door shut (fill 90%)" == said


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"repeated": True}, "Ann is here again at front ("),
        ({"door": None, "camera": "kitchen"}, "Ann was seen by camera kitchen ("),
        ({"grade": "greeting"}, "(greeting: "),
        ({"facts": {**FACTS, "margin": None}}, "threshold 0.655, 3 good frames)"),
        ({"facts": {**FACTS, "frames_seen": 1}}, ", 1 good frame)"),
        ({"facts": {**FACTS, "extrapolated": True}}, ", beyond the measured tables, "),
    ],
)
def test_a_decision_says_what_it_was_made_of(more: dict[str, Any], words: str) -> None:
    """Repetition, place, grade, margin, frames and the limits of the tables."""
    assert words in describe(made("subject_identified", **more), names)


def test_an_empty_gallery_is_said() -> None:
    """No score is invented where nobody is enrolled."""
    assert "(confirmed: nobody is enrolled, 3 good frames)" in describe(
        made("stranger_seen", facts={**FACTS, "score": None, "margin": None})
    )


def test_a_capture_found_at_start_up_says_so() -> None:
    """A crash came in between."""
    assert describe(made("stranger_captured", adopted=True)).endswith("(found at start-up)")


@pytest.mark.parametrize(("seconds", "words"), [(0, "0 s"), (119, "119 s"), (600, "10 min"), (9000, "2.5 h")])
def test_an_outage_is_said_in_a_unit_people_use(seconds: float, words: str) -> None:
    """Seconds, minutes, hours."""
    assert f"camera hall is back after {words}" == describe(made("camera_recovered", outage_s=seconds))


@given(st.text())
def test_no_name_moves_the_terminals_cursor(name: str) -> None:
    """Whatever somebody is called, it is one line of printable characters."""
    said = describe(made("subject_enrolled"), lambda _: name)

    assert writable(said)


def test_an_empty_name_is_no_name() -> None:
    """Nor is a person without letters left without a word."""
    assert "person 6789ab" == person(ANN, lambda _: "")


# ------------------------------------------------------------- the action


def delivery(kind: str = "subject_enrolled") -> Delivery:
    """An event on its way."""
    return Delivery("lines", "e1", made(kind), AT, 1, "e1-lines")


def test_a_line_is_written_and_flushed() -> None:
    """People see it at once, with its end, and with a name only if asked for."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", write_through=False)
    LineAction(stream, zone=UTC).perform(delivery())
    LineAction(stream, names, UTC).perform(delivery())

    assert b"11:03:04  person 6789ab was enrolled\n11:03:04  Ann was enrolled\n" == raw.getvalue()


def test_a_terminal_without_the_letter_shows_a_question_mark() -> None:
    """A name in another script is no reason to lose the line."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    LineAction(stream, lambda _: "Zoë", UTC).perform(delivery())

    assert b"11:03:04  Zo? was enrolled\n" == raw.getvalue()


def test_a_closed_stream_is_an_action_error() -> None:
    """A pipe that nobody reads any more does not end dispatch."""
    stream = io.StringIO()
    stream.close()

    with pytest.raises(ActionError, match="cannot be written") as caught:
        LineAction(stream).perform(delivery())

    assert not caught.value.permanent
