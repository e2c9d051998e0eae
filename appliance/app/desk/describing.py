"""What settings there are, for a page to show: words, unit, kind of value, limits, and who may change them.

Made from the models alone; says nothing of what holds.
"""

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import BaseModel

from appliance.settings import Settings, nested_model
from appliance.settings.keys import ELEMENT
from appliance.settings.relations import LISTS
from appliance.settings.source import is_tables

ROOMS: Final[Mapping[str, tuple[str, str]]] = {
    "": ("This place", "What this office is called."),
    "cameras": ("Cameras", "Where pictures come from, and when faces are read in them."),
    "doors": ("Doors", "Where each door is in its camera's picture, and how open and shut are told apart."),
    "objects": ("Things", "What else is looked for in cameras' pictures, and what of it is worth an event."),
    "faces": ("Faces", "How faces are found, and which are good enough to look at."),
    "recognition": ("Recognition", "How sure the box has to be before it says who somebody is."),
    "encounters": ("Coming by", "When somebody's stay at the door begins, is decided and ends."),
    "evidence": ("Strangers' pictures", "To whom they are sealed, how many, and how long they are kept."),
    "captures.s3": ("Copies elsewhere", "A bucket that strangers' sealed pictures are copied to."),
    "retention": ("Keeping", "How long the log and what is counted are kept."),
    "heads": ("Proof of the log", "Signatures of the log's end, written outside of the database."),
    "store": ("Database", "Where the log and the people are kept."),
    "vault": ("Keys", "What protects names and faces at rest."),
    "models": ("Networks", "Where the networks that look at faces lie."),
    "processes": ("Processes", "How the work is divided among processes."),
    "web": ("These pages", "Where the admin pages and the office screen are served."),
    "screen": ("Office screen", "What the screen in the office shows, and how long."),
    "coffee": ("Coffee", "Where coffees are counted, of what, and how often somebody may take one."),
    "deeplens": ("DeepLens", "Functions written for AWS DeepLens, and what they are given."),
    "audio": ("Sound", "Where songs are played, how loud, and when they are not."),
    "video": ("Video", "How long recordings are, and what of them stays on the box."),
    "video.kvs": ("Video elsewhere", "Kinesis Video Streams, where recordings can go as well."),
    "index": ("Moments", "What was seen, kept so that it can be found again."),
    "index.opensearch": ("Moments elsewhere", "An OpenSearch that is told what was seen."),
    "search": ("Visual search", "What is alike to what a camera shows, of a catalogue of things."),
    "mqtt": ("MQTT", "A broker that is told what happens, for Home Assistant and others."),
    "webhooks": ("Webhooks", "Addresses that events are posted to, where a rule says so."),
    "locks": ("Locks", "How each lock is told to open, and what has to be so before it is."),
    "actions": ("Actions", "What is done when something happens."),
    "log": ("Diagnostics", "What the appliance says on its own output; this is not the log of who came by."),
}
"""Part of the settings → its title and what it is about."""

CLOSED: Final[Mapping[str, str]] = {
    "actions": (
        "An action may run a command on this machine. If that could be changed from here, whoever gets into "
        "these pages would have a shell on it. Change actions in the settings file."
    ),
    "captures.s3": (
        "Where copies go, with whose credentials, and when the ones here may be deleted is said on the "
        "machine itself. Change it in the settings file."
    ),
    "locks": (
        "What opens a lock is chosen on the page of locks, in words that say what it means; how a lock is "
        "told is said on the machine itself. Change the rest in the settings file."
    ),
    "mqtt.ca_file": "A path on this machine is for whoever is signed in on it.",
    "mqtt.certificate": "A path on this machine is for whoever is signed in on it.",
    "mqtt.private_key": "A path on this machine is for whoever is signed in on it.",
    "webhooks.ca_file": "A path on this machine is for whoever is signed in on it.",
    "webhooks.allow_private": (
        "What the box may reach in its own network is said on the machine itself: whoever gets into these "
        "pages must not post to it by way of the box. Change it in the settings file."
    ),
    "deeplens.accept_uncontained": (
        "Functions that nothing contains can do whatever the appliance can: whoever gets into these pages "
        "would have a shell on this machine. Say so in the settings file."
    ),
    "deeplens.credentials_file": "A path on this machine is for whoever is signed in on it.",
    "deeplens.endpoint_url": (
        "Where functions' credentials are shown is said on the machine itself. Change it in the file."
    ),
    "deeplens.send_recordings": (
        "Video would leave the box, to streams whose names a function chooses: that is said on the machine "
        "itself. Change it in the settings file."
    ),
    "video.kvs": (
        "Where video goes, and with whose credentials, is said on the machine itself: whoever gets into "
        "these pages must not send it somewhere else. Change it in the settings file."
    ),
    "search.networks": "A path on this machine is for whoever is signed in on it. Change it in the file.",
    "index.opensearch": (
        "Where moments go, with whose credentials, and what they tell of people is said on the machine "
        "itself: whoever gets into these pages must not send them somewhere else. Change it in the settings "
        "file."
    ),
    "heads.folder": "A path on this machine is for whoever is signed in on it.",
    "store": "A wrong word here, and the appliance no longer finds its log. Change it in the settings file.",
    "vault": "A wrong word here, and no name and no face opens any more. Change it in the settings file.",
    "models": "A path on this machine is for whoever is signed in on it. Change it in the settings file.",
    "processes.models": (
        "Photos are read in a process of their own, which holds no key; whoever gets into these pages must "
        "not move that. Change it in the settings file."
    ),
    "web.enabled": "Switched off from here, these pages could not be switched on again from here.",
    "web.host": "At a wrong address nobody gets to these pages any more to mend it.",
    "web.port": "At a wrong port nobody gets to these pages any more to mend it.",
    "web.names": (
        "Links for passwords begin with the first of these names, and pages are answered under these names "
        "only: a foreign one would be sent those links. Change them in the settings file."
    ),
    "web.certificate": "A path on this machine is for whoever is signed in on it.",
    "web.private_key": "A path on this machine is for whoever is signed in on it.",
    "web.tls": "With the wrong certificate nobody gets to these pages any more to mend it.",
    "web.trusted_proxies": "Who is believed about where visitors come from is said on the machine itself.",
}
"""Keys, or beginnings of keys, that no page and no token changes, and why."""

TITLES: Final[Mapping[str, str]] = {
    "site": "Name of this place",
    "source": "Address",
    "tail_s": "How long faces are read after the door shut",
    "width_px": "Width of the picture",
    "height_px": "Height of the picture",
    "ring_s": "Seconds kept from just before",
    "ring_mib": "Memory for what is kept from just before",
    "stall_s": "Without a picture, lost after",
    "reconnect_max_s": "Longest pause before trying again",
    "disturbed_after_s": "Dark, covered or frozen after",
    "tolerance": "How different a spot may be",
    "shut_fraction": "How much of the area is the shut door",
    "open_below": "Open below",
    "shut_above": "Shut above",
    "debounce_s": "How long a change must last",
    "held_open_s": "Left open after",
    "detector": "What finds faces",
    "min_width_px": "Narrowest face",
    "min_quality": "Least quality of a picture",
    "end_after_s": "A stay is over after",
    "confirm_frames": "Pictures needed to be sure",
    "keep_frames": "Pictures taken together",
    "repeat_after_s": "Greeted again after",
    "evidence.frames": "Pictures of a stranger",
    "expire_days": "How long sealed pictures are kept",
    "evidence.max_mib": "Room for sealed pictures",
    "min_free_mib": "Space to leave free on the disk",
    "video.enabled": "Record video",
    "clip_s": "Length of a recording",
    "pre_trigger_s": "From before it happened",
    "longest_s": "Longest recording",
    "video.retention_days": "How long recordings are kept",
    "video.max_mib": "Room for recordings",
    "deeplens.send_recordings": "Send what functions record",
    "make_room_mib": "Old pictures make room below",
    "recipients": "Who may open them",
    "events_days": "How long the log is kept",
    "events_max_mib": "Room for the log",
    "counters_days": "How long greetings are counted",
    "every_s": "Signed every",
    "captures.s3.region": "Region of the bucket",
    "captures.s3.max_kib_s": "Most bandwidth",
    "models_memory_mib": "Memory for reading photos",
    "mqtt.host": "Broker",
    "keepalive_s": "Noticed to be gone after",
    "publish_events": "Publish what happens",
    "mqtt.events": "Which events",
    "mqtt.home_assistant": "Show the box in Home Assistant",
    "mqtt.timeout_s": "Wait for a receipt",
    "mqtt.username": "Name to log on with",
    "ca_file": "Certificates to check against",
    "webhooks.aliases": "Post aliases",
    "mqtt.node": "What tells this box apart",
    "mqtt.prefix": "Topics begin with",
    "mqtt.client_id": "What the box calls itself",
    "last_person": "Tell who was there last",
    "mqtt.coffees": "Tell coffees",
    "mqtt.pictures": "Publish pictures",
    "picture_s": "A picture every",
    "discovery_prefix": "Where Home Assistant looks",
    "mqtt.thing": "Name of the thing",
    "infer_topic": "Topic of what is seen",
    "url": "Address",
    "secret": "Key that requests are signed with",
    "allow_private": "Private networks",
    "leaderboard_days": "Days the leaderboard looks back",
    "composition": "Which networks decide",
    "fpir": "Strangers taken for somebody",
    "margin": "Lead over the second person",
    "stranger_band": "Too near for a stranger",
    "fps": "Pictures a second",
    "rule": "How open and shut are told apart",
    "seed": "A point on the shut door",
    "region": "Where to look",
    "when": "When faces are read",
    "tls": "Encryption",
    "min_score": "Least certainty that it is a face",
    "max_embedded": "Faces looked at in one picture",
    "detect_width_px": "Width in which faces are looked for",
    "embedder": "What runs dlib's network",
    "argv": "Command",
    "greeting_s": "How long a greeting stays",
    "theme": "Light or dark",
    "models": "Where photos are read",
    "json_lines": "As JSON, a line each",
    "objects.model": "Which network",
    "objects.labels": "What counts",
    "threshold": "Least certainty",
    "thresholds": "Least certainty, thing by thing",
    "lost_after_s": "Gone after",
    "publish": "What is published",
    "regions": "Where things count",
    "triggers": "What is worth an event",
}
"""What fields are called on the page where their own name says little."""

EXPERT: Final[frozenset[str]] = frozenset(
    {
        *("cameras.fps", "cameras.width_px", "cameras.height_px", "cameras.ring_s", "cameras.ring_mib"),
        *("cameras.stall_s", "cameras.reconnect_max_s", "cameras.disturbed_after_s"),
        *("doors.region", "doors.seed", "doors.rule", "doors.tolerance", "doors.shut_fraction"),
        *("doors.open_below", "doors.shut_above", "doors.debounce_s"),
        *("faces.detector", "faces.embedder", "faces.detect_width_px", "faces.min_score"),
        *("faces.max_embedded", "recognition.composition", "recognition.margin"),
        *("recognition.stranger_band", "encounters.confirm_frames", "encounters.keep_frames"),
        *("encounters.end_after_s", "evidence.min_free_mib", "evidence.make_room_mib"),
        "processes.models_memory_mib",
        *("mqtt.protocol", "mqtt.client_id", "mqtt.keepalive_s", "mqtt.timeout_s", "mqtt.node"),
        *("mqtt.discovery_prefix", "mqtt.thing", "mqtt.infer_topic"),
    }
)
"""Settings that pages fold away: whoever changes them knows how the program works."""

UNITS: Final[Mapping[str, str]] = {
    "_s": "seconds",
    "_px": "pixels",
    "_mib": "MiB",
    "_days": "days",
}
"""By the end of a name; `fps` and shares have theirs in words."""


def closed(key: str) -> str | None:
    """Why a key cannot be changed over the network; None: it can.

    Of an element of a list it is asked with the element's id or without: what is closed is so in each.
    """
    parts = key.split(".")
    keys = {key, ".".join((parts[0], *parts[2:]))} if parts[0] in LISTS and len(parts) > ELEMENT else {key}
    return next(
        (why for part, why in CLOSED.items() for each in keys if each == part or each.startswith(f"{part}.")),
        None,
    )


@functools.cache
def _schema() -> Mapping[str, Any]:
    """The settings' JSON schema; it takes longer to make than all the rest of the page."""
    return Settings.model_json_schema(mode="validation")


def rooms() -> list[dict[str, Any]]:
    """Every part of the settings with its fields, in the order of the settings file."""
    schema = _schema()
    plain = list(_fields(Settings, schema, schema, ""))
    found = [{"name": "", "title": ROOMS[""][0], "about": ROOMS[""][1], "list": False, "fields": plain}]
    for name, model in _models(Settings, ""):
        title, about = ROOMS.get(name, (name, ""))
        fields = list(_fields(model, _definition(schema, model), schema, name))
        if fields:
            found.append(
                {"name": name, "title": title, "about": about, "list": name in LISTS, "fields": fields}
            )
    return found


def _models(model: type[BaseModel], within: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """Every part of the settings, and the parts of those, with dots: `captures.s3`."""
    for name, field in model.model_fields.items():
        inner = nested_model(field.annotation)
        if inner is not None and not (within and is_tables(field.annotation)):
            yield f"{within}{name}", inner
            yield from _models(inner, f"{within}{name}.")


def kind(schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """What a value may be, of its JSON schema: `kind` and what limits it.

    Kinds: `switch`, `integer`, `number`, `choice`, `numbers` (so many), `lines` (any number of words),
    `secret`, `path`, `text`, `tables` (what a page shows and a file says).
    """
    if "$ref" in schema:
        return kind(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        inner = [each for each in schema["anyOf"] if each.get("type") != "null"]
        optional = len(inner) < len(schema["anyOf"])
        return {**(kind(inner[0], root) if len(inner) == 1 else {"kind": "text"}), "optional": optional}
    if "enum" in schema:
        return {"kind": "choice", "choices": list(schema["enum"])}
    if schema.get("type") == "object" or "$ref" in schema.get("items", {}):
        return {"kind": "tables"}
    if schema.get("type") == "array":
        many = schema.get("prefixItems")
        return {"kind": "numbers", "many": len(many)} if many else {"kind": "lines"}
    limits = {
        ours: schema[theirs]
        for theirs, ours in (
            ("minimum", "least"),
            ("maximum", "most"),
            ("exclusiveMinimum", "above"),
            ("maxLength", "most_chars"),
        )
        if theirs in schema
    }
    named = {"boolean": "switch", "integer": "integer", "number": "number"}.get(str(schema.get("type")))
    by_format = {"password": "secret", "path": "path"}.get(str(schema.get("format")))
    return {"kind": named or by_format or "text", **limits}


def _fields(
    model: type[BaseModel], schema: Mapping[str, Any], root: Mapping[str, Any], room: str
) -> Iterator[dict[str, Any]]:
    """The fields of one model, without those that are parts of their own; tables within one are a field."""
    for name, field in model.model_fields.items():
        if nested_model(field.annotation) is not None and not (room and is_tables(field.annotation)):
            continue
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        unit = next((words for end, words in UNITS.items() if name.endswith(end)), "")
        yield {
            "name": name,
            "title": title(name, room),
            "words": field.description or "",
            "unit": unit,
            "required": field.is_required(),
            "scope": str(extra.get("scope", "all")),
            "expert": f"{room}.{name}" in EXPERT,
            "closed": closed(f"{room}.{name}" if room else name) or "",
            **kind(schema["properties"][name], root),
        }


def title(name: str, room: str = "") -> str:
    """What a field is called: its name without the unit, unless it has a better one.

    Args:
        name: Of the field.
        room: The part it is of, where another part has a field of the same name.
    """
    end = next((each for each in UNITS if name.endswith(each)), "")
    words = name.removesuffix(end).replace("_", " ")
    return TITLES.get(f"{room}.{name}") or TITLES.get(name, words[:1].upper() + words[1:])


def _definition(schema: Mapping[str, Any], model: type[BaseModel]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema["$defs"][model.__name__]
    return found
