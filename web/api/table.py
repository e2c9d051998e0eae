"""Which operation of the desk is at which address, and which are at none, and why. Nothing else.

GET reads and changes nothing; POST does something. What stands in braces in a path is an argument of the
operation; the others come in the query of a GET and in the JSON body of a POST.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

PREFIX: Final = "/api/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An operation and where it is called.

    Attributes:
        operation: Its name.
        method: GET or POST.
        path: Behind the prefix, with arguments in braces.
        summary: What it does, in a line.
        uploads: Its body is a file; its other arguments come in the query.
        file: What kind of file, as the first half of a media type.
        media: What it answers instead of JSON; empty: JSON.
        cursor: The argument that goes on where `next` of an answer says; empty: it has no pages.
        slow_s: Seconds it may take.
        body_bytes: So many its JSON may have; 0: as many as any.
    """

    operation: str
    method: Literal["GET", "POST"]
    path: str
    summary: str
    uploads: bool = False
    file: Literal["image", "audio"] = "image"
    media: str = ""
    cursor: str = ""
    slow_s: float = 10.0
    body_bytes: int = 0

    @property
    def rule(self) -> str:
        """The path as Flask writes it."""
        return PREFIX + self.path.replace("{", "<").replace("}", ">")


def _get(operation: str, path: str, summary: str, *, cursor: str = "", slow_s: float = 10.0) -> Endpoint:
    return Endpoint(operation, "GET", path, summary, cursor=cursor, slow_s=slow_s)


def _post(operation: str, path: str, summary: str, *, slow_s: float = 60.0) -> Endpoint:
    return Endpoint(operation, "POST", path, summary, slow_s=slow_s)


def _upload(operation: str, path: str, summary: str, *, slow_s: float = 60.0) -> Endpoint:
    return Endpoint(operation, "POST", path, summary, uploads=True, slow_s=slow_s)


_DRAFT: Final = "/enrolments/{draft}"
_PHOTO: Final = f"{_DRAFT}/photos/{{photo}}"
_ITEM: Final = "/catalogue/items/{item}"

ENDPOINTS: Final = (
    # People
    _get("people.list", "/people", "Who is enrolled, page by page", cursor="after"),
    _get("people.show", "/people/{person}", "One person: consents, references, quality"),
    _post("people.rename", "/people/{person}/rename", "Another name"),
    _post("people.initials", "/people/{person}/initials", "Other initials"),
    _post("people.alias", "/people/{person}/alias", "What the office screen calls them"),
    _post("people.pause", "/people/{person}/pause", "Recognise them no more, for the time being"),
    _post("people.resume", "/people/{person}/resume", "Recognise them again"),
    _post("people.strictness", "/people/{person}/strictness", "Take strangers for them more rarely"),
    _post("people.remove", "/people/{person}/remove", "Remove them; their key is destroyed"),
    _post("people.give_consent", "/people/{person}/consents", "Record a further consent"),
    _post("people.withdraw_consent", "/people/{person}/consents/withdraw", "Take consents back"),
    _post("people.remove_reference", "/people/{person}/references/{reference}/remove", "Remove a reference"),
    _get("people.merge_proposal", "/people/{keep}/merge/{other}", "What merging two would do"),
    _post("people.merge", "/people/{keep}/merge/{other}", "Two were one person: merge them"),
    _get("people.consent_text", "/consent-text", "The text people agree to, and its version"),
    _get("people.safety", "/safety", "How often somebody would be mistaken", slow_s=60.0),
    # Enrolling
    _post("enrol.begin", "/enrolments", "Begin to enrol somebody"),
    _get("enrol.show", _DRAFT, "How far an enrolment is"),
    Endpoint(
        "enrol.judge",
        "POST",
        f"{_DRAFT}/photos",
        "Add a picture and hear what is wrong with it",
        uploads=True,
        slow_s=60.0,
    ),
    Endpoint(
        "enrol.look",
        "POST",
        f"{_DRAFT}/look",
        "How somebody stands before a webcam, of a small picture; nothing is kept",
        uploads=True,
    ),
    _post("enrol.choose_face", f"{_PHOTO}/face", "Say which face of a picture is theirs"),
    _post("enrol.answer", f"{_PHOTO}/answer", "Say that a likeness is known"),
    _post("enrol.drop_photo", f"{_PHOTO}/drop", "Leave a picture out"),
    _post("enrol.snapshot", f"{_DRAFT}/snapshot", "Take a picture with a door's camera"),
    _post("enrol.add_to", f"{_DRAFT}/add-to", "The pictures are of somebody enrolled"),
    _post("enrol.commit", f"{_DRAFT}/commit", "Enrol"),
    _post("enrol.leave", f"{_DRAFT}/leave", "Forget an enrolment in half a minute, unless it goes on"),
    _post("enrol.discard", f"{_DRAFT}/discard", "Forget an enrolment under way"),
    _get("enrol.cameras", "/enrolment-cameras", "Cameras that pictures can be taken with"),
    # Watching
    _get("live.cameras", "/live/cameras", "Cameras and how they are"),
    _get("live.doors", "/live/doors", "How each door is, by the last word of the log"),
    _get("live.names", "/live/names", "What those who are seen are called"),
    # The log
    _get("log.page", "/log", "The log, the newest first, page by page", cursor="before"),
    _get("log.choices", "/log/choices", "What the log can be filtered by"),
    _get("log.accuracy", "/log/accuracy", "How often decisions were corrected"),
    _get("log.entry", "/log/{event}", "One entry"),
    _get("log.explain", "/log/{event}/explanation", "Why a decision came out as it did"),
    _get("log.note", "/log/{event}/note", "The note to a correction"),
    _post("log.correct", "/log/{event}/correct", "Say who it really was"),
    _get("feed.wait", "/events", "Wait for what is logged next", slow_s=40.0),
    # Moments
    _get("moments.page", "/moments", "What was seen, the newest first, page by page", cursor="before"),
    _get("moments.bars", "/moments/bars", "How much of it there was over time"),
    _get("moments.hours", "/moments/hours", "At which hours of the week"),
    _get("moments.choices", "/moments/choices", "What moments can be searched by"),
    # Coffee
    _get("coffee.board", "/coffee", "Who leads in coffee: of a day, a week, a month, or all time"),
    _get("coffee.lately", "/coffee/lately", "The newest coffees"),
    _get("coffee.hours", "/coffee/hours", "Coffees of the last 24 hours, hour by hour"),
    _get("coffee.people", "/coffee/people", "Whose coffee one may have been"),
    _post("coffee.correct", "/coffee/corrections", "Say whose coffee it was, or that there was none"),
    _post("coffee.add", "/coffee/additions", "Count a coffee that no camera saw"),
    # Rules
    _get("rules.list", "/rules", "What is done by itself, and when; what each rule did lately"),
    _get("rules.choices", "/rules/choices", "What a rule may name"),
    _post("rules.dry_run", "/rules/dry-run", "What a rule would have done; nothing is done"),
    _get("rules.get", "/rules/{rule}", "One rule"),
    _post("rules.add", "/rules", "Add a rule"),
    _post("rules.change", "/rules/{rule}", "Have a rule say something else"),
    _post("rules.switch", "/rules/{rule}/switch", "Switch a rule on or off"),
    _post("rules.move", "/rules/{rule}/move", "Put a rule at another place among the others"),
    _post("rules.remove", "/rules/{rule}/remove", "Remove a rule"),
    _post("rules.try", "/rules/{rule}/try", "Do a rule's actions once about somebody, as a test"),
    _get("rules.trial", "/rule-trials/{event}", "What became of what was tried", slow_s=30.0),
    _get("groups.list", "/groups", "Groups of people that rules may ask for"),
    _post("groups.add", "/groups", "Make a group"),
    _post("groups.rename", "/groups/{group}/rename", "Call a group something else"),
    _post("groups.members", "/groups/{group}/members", "Say who is in a group, all of them"),
    _post("groups.remove", "/groups/{group}/remove", "Remove a group; nobody in it is"),
    _get("outbox.list", "/outbox", "What is done about events, and what became of it", cursor="before"),
    _post("outbox.retry", "/outbox/{row}/retry", "Try again what failed for good"),
    # Sealed pictures
    _get("captures.list", "/captures", "Sealed pictures of strangers, page by page", cursor="before"),
    Endpoint(
        "captures.read",
        "GET",
        "/captures/{capture}/sealed",
        "One of them, as it is sealed",
        media="application/octet-stream",
        slow_s=30.0,
    ),
    _post("captures.remove", "/captures/{capture}/remove", "Delete one"),
    _get("captures.copies", "/captures/copies", "How many are copied elsewhere, and what is in the way"),
    _get("recipients.list", "/recipients", "Whom pictures are sealed to"),
    _post("recipients.check", "/recipients/check", "Look at a public key before it is added"),
    _post("recipients.add", "/recipients", "Seal to one more key"),
    _post("recipients.remove", "/recipients/remove", "Seal to a key no more"),
    # Setting up
    _get("cameras.list", "/cameras", "The cameras in the settings"),
    _get("cameras.find", "/cameras/found", "Cameras that are connected", slow_s=30.0),
    _post("cameras.save", "/cameras/{camera}/save", "Add a camera or change it"),
    _post("cameras.remove", "/cameras/{camera}/remove", "Remove a camera"),
    _get("doors.list", "/doors", "The doors in the settings"),
    _post("doors.look", "/doors/{door}/look", "Say that a door is shut or open just now"),
    _post("doors.propose", "/doors/{door}/propose", "What settings would tell a door's states apart"),
    _post("doors.save", "/doors/{door}/save", "Add a door or change it"),
    _post("doors.remove", "/doors/{door}/remove", "Remove a door"),
    _get("settings.read", "/settings", "Every setting: what holds, and from where"),
    _get("settings.describe", "/settings/description", "What settings there are"),
    _post("settings.propose", "/settings/propose", "What a change would do"),
    _post("settings.save", "/settings", "Change settings"),
    _get("songs.list", "/songs", "The library of songs, whose theme song is which, and how loud"),
    _get("songs.now", "/songs/now", "What the box plays"),
    _get("songs.sounds", "/songs/sounds", "Sounds that ship with the appliance"),
    Endpoint("songs.audio", "GET", "/songs/{song}/audio", "A song to be heard", media="audio/mpeg"),
    Endpoint(
        "songs.sound_audio", "GET", "/songs/sounds/{sound}/audio", "A sound to be heard", media="audio/mpeg"
    ),
    Endpoint(
        "songs.add",
        "POST",
        "/songs",
        "Make a song of a part of a sound file",
        uploads=True,
        file="audio",
        slow_s=75.0,
    ),
    _post("songs.choose", "/songs/sounds/{sound}/choose", "Take a sound into the library"),
    _post("songs.rename", "/songs/{song}/rename", "Another title"),
    _post("songs.remove", "/songs/{song}/remove", "Remove a song"),
    _post("songs.give", "/songs/given", "Make a song somebody's theme song, or let them have none"),
    _post("songs.play", "/songs/{song}/play", "Play a song now", slow_s=75.0),
    _post("songs.stop", "/songs/stop", "End what plays and what waits"),
    _post("songs.volume", "/songs/volume", "How loud"),
    _post("songs.default", "/songs/default", "The song of whoever has none of their own"),
    # Clips
    _get("clips.list", "/clips", "Clips of video, the newest first, page by page", cursor="before"),
    _get("clips.state", "/clips/state", "How recording goes, and how it arrives at streams"),
    _get("clips.at", "/clips/at", "The clip of a camera that holds a moment"),
    _get("clips.show", "/clips/{clip}", "One clip; of one that is gone, what the log says"),
    # Visual search
    _upload("search.by_picture", "/search", "What is like a picture"),
    Endpoint(
        "search.by_features",
        "POST",
        "/search/features",
        "What is like features that the same network made elsewhere",
        body_bytes=256 << 10,
    ),
    _post("search.by_camera", "/search/cameras/{camera}", "What is like what a camera shows now"),
    _get("search.newest", "/search/newest", "What cameras and functions found last", slow_s=40.0),
    _get("search.state", "/search/state", "How searching goes, and what is under way"),
    _post("search.calibrate", "/search/calibrate", "Find anew from which likeness on something counts"),
    _post("search.refeaturize", "/search/refeaturize", "Describe every picture by another network"),
    _get("catalogue.items", "/catalogue/items", "Items of the catalogue, page by page", cursor="after"),
    _get("catalogue.size", "/catalogue/size", "How many items and pictures there are"),
    _get("catalogue.item", _ITEM, "One item"),
    Endpoint(
        "catalogue.picture", "GET", "/catalogue/pictures/{picture}", "A picture of one", media="image/jpeg"
    ),
    _post("catalogue.put", _ITEM, "Add an item or change it; its pictures are sent after it"),
    _post("catalogue.put_shown", f"{_ITEM}/shown", "Add an item with what a camera shows now"),
    _upload("catalogue.add_picture", f"{_ITEM}/pictures", "Add a picture to an item"),
    _post("catalogue.add_shown", f"{_ITEM}/pictures/shown", "Add to an item what a camera shows now"),
    _post("catalogue.remove", f"{_ITEM}/remove", "Remove an item with its pictures"),
    _post("catalogue.remove_picture", f"{_ITEM}/pictures/{{picture}}/remove", "Remove a picture of an item"),
    _get("functions.list", "/functions", "Hosted DeepLens functions, and how each is"),
    _get("functions.messages", "/functions/{name}/messages", "What one published after a number"),
    _get("functions.log", "/functions/{name}/log", "What one printed"),
    _post("functions.start", "/functions/{name}/start", "Let one run"),
    _post("functions.stop", "/functions/{name}/stop", "End one; it stays deployed"),
    _get("functions.porting", "/functions/{name}/porting", "What was changed of one to run it"),
    _post("mqtt.check", "/mqtt/check", "Try the broker out", slow_s=60.0),
    _post("webhooks.test", "/webhooks/{webhook}/test", "Try a webhook out", slow_s=75.0),
    _get("system.state", "/system", "How the processes are"),
    _get("system.examine", "/system/examination", "Examine the machine", slow_s=120.0),
)
"""In the order in which they are shown."""

_PEOPLE_ONLY: Final = "Passwords, sessions and who else comes in are for people who sign in; no token may."
_PUBLIC: Final = "For browsers that are not signed in yet; a program is given a token instead."
_SCREEN: Final = "For paired screens, whose page asks it; a token is no screen."
_KEYPAD: Final = "For the paired keypads of locks, whose page asks it; a token is no keypad."
_LOCKS: Final = "What opens a door, and who has a PIN, is for people who sign in; no token may."

EXCEPTIONS: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            *("operators.add", "operators.change", "operators.list", "operators.remove", "operators.reset"),
            *("password.change", "session.close", "session.end", "session.list"),
            *("screens.begin_pairing", "screens.list", "screens.revoke"),
            *("tokens.create", "tokens.list", "tokens.revoke"),
        ),
        _PEOPLE_ONLY,
    ),
    **dict.fromkeys(
        (
            *("first_run.create_admin", "first_run.state", "password.link", "password.redeem"),
            *("keypads.pair", "screens.pair", "session.check", "session.open"),
        ),
        _PUBLIC,
    ),
    **dict.fromkeys(("screen.now", "screen.wait", "screen.song", "screen.stop_songs"), _SCREEN),
    **dict.fromkeys(("keypad.now", "keypad.enter"), _KEYPAD),
    **dict.fromkeys(
        (
            *("locks.choose", "locks.decisions", "locks.list", "locks.people"),
            *("locks.remove_pin", "locks.set_pin"),
            *("keypads.begin_pairing", "keypads.list", "keypads.revoke"),
        ),
        _LOCKS,
    ),
    **dict.fromkeys(
        ("clips.playlist", "clips.piece", "clips.file", "clips.file_part"),
        "Video comes at /clips/CLIP/index.m3u8 as it is played, and as a file at /clips/CLIP/download.",
    ),
    **dict.fromkeys(
        ("clips.open_outside", "clips.read_outside"),
        "What is stored at Kinesis Video Streams a program asks for there, with rights of its own.",
    ),
    **dict.fromkeys(
        (
            *("catalogue.import_begin", "catalogue.import_rows", "catalogue.import_picture"),
            *("catalogue.import_end", "catalogue.imports"),
        ),
        "A program puts item after item; tables are imported on the page, or by `appliance search import`.",
    ),
    "clips.delete": "What was recorded is deleted by somebody who is signed in, here or on the machine.",
    "functions.deploy": "What runs here is for somebody who is signed in, here or on the machine.",
    "functions.remove": "What runs here is for somebody who is signed in, here or on the machine.",
    "functions.picture": "They come one after the other at /functions/NAME/project.mjpeg.",
    "doors.paint": "A picture for the page on which a door is clicked; doors.propose has it in numbers.",
}
"""Operations that no address has, and why."""
