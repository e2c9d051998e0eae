"""The contact sheet: one HTML file with a small picture of every stranger, by day and time.

Complete in itself: thumbnails are data in it, nothing is loaded from anywhere, nothing runs, and its
content policy forbids both. What captures say of themselves was sealed by whoever had the public
key, so it is shown as text and never as markup. No picture is decoded here and nothing drawn upon.
"""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from itertools import groupby
from typing import Any

_LONGEST = 80
"""Of a camera's or a door's name on the sheet."""
_METADATA_BYTES = 1024 * 1024
"""A capture of ours says some kB; JSON that is larger is not read, for it takes many times that in memory."""
_FARTHEST = 10
"""From 0: a likeness or a threshold of ours lies within 1."""
_FIRST_YEAR, _LAST_YEAR = 1970, 9000
"""Every clock time between them is one in every zone."""

_WHY = {
    "below_threshold": "unlike everybody enrolled",
    "empty_gallery": "nobody was enrolled",
}
"""The policy lines that make a stranger, in words."""


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """One capture on the sheet.

    Attributes:
        id: UUIDv7.
        at: When the best picture was taken, aware; None when the capture does not say.
        place: Door, or camera; may be empty.
        why: Why they were taken for a stranger, in words; may be empty.
        pictures: How many frames there are.
        size_bytes: Of the opened pictures.
        face: JPEG, small; None when it did not decode.
        frame: Likewise.
    """

    id: str
    at: datetime | None
    place: str
    why: str
    pictures: int
    size_bytes: int
    face: bytes | None
    frame: bytes | None


def read_entry(
    capture: str, metadata: bytes, size_bytes: int, face: bytes | None, frame: bytes | None
) -> SheetEntry:
    """An entry from what an opened capture says of itself, as far as it makes sense."""
    try:
        said = json.loads(metadata) if len(metadata) <= _METADATA_BYTES else None
    except (ValueError, RecursionError):
        said = None
    frames = _list(_dict(said).get("frames"))
    about = _dict(_dict(said).get("metadata"))
    place = about.get("door") or about.get("camera") or _dict(frames[0] if frames else None).get("camera")
    return SheetEntry(
        id=capture,
        at=_moment(_dict(frames[0] if frames else None).get("taken_at"))
        or _moment(_dict(said).get("sealed_at")),
        place=_shown(place[:_LONGEST]) if isinstance(place, str) else "",
        why=_why(_dict(about.get("facts"))),
        pictures=len(frames),
        size_bytes=size_bytes,
        face=face,
        frame=frame,
    )


def contact_sheet(
    entries: Sequence[SheetEntry], *, total: int, made_at: datetime, zone: tzinfo | None
) -> str:
    """The sheet as HTML.

    Args:
        entries: Newest first.
        total: How many opened captures there are, of which the entries may be the newest.
        made_at: Aware.
        zone: Times are shown in it; None: this machine's.
    """
    days = [
        f"<section><h2><span>{day}</span> <small>{len(cards)}</small></h2><ol>{''.join(cards)}</ol></section>"
        for day, cards in _by_day(entries, zone)
    ]
    body = "".join(days) or _EMPTY
    made = made_at.astimezone(zone)
    if total == len(entries):
        shown = f"<em>{total:,}</em> {'stranger' if total == 1 else 'strangers'}" if total else "No strangers"
    else:
        shown = f"<em>{len(entries):,}</em> of {total:,} strangers"
    style_hash = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    return _PAGE.format(
        policy=f"default-src 'none'; img-src data:; style-src 'sha256-{style_hash}'; base-uri 'none'; "
        "form-action 'none'",
        style=_STYLE,
        shown=shown,
        made=f"{made:%A}, {made.day} {made:%B %Y}, {made:%H:%M}",
        iso=made.isoformat(timespec="seconds"),
        body=body,
    )


def _by_day(entries: Iterable[SheetEntry], zone: tzinfo | None) -> list[tuple[str, list[str]]]:
    def day(entry: SheetEntry) -> str:
        if entry.at is None:
            return "Without a time"
        at = entry.at.astimezone(zone)
        return f"{at:%A}, {at.day} {at:%B %Y}"

    return [(each, [_card(entry, zone) for entry in group]) for each, group in groupby(entries, day)]


def _card(entry: SheetEntry, zone: tzinfo | None) -> str:
    at = None if entry.at is None else entry.at.astimezone(zone)
    time = "—" if at is None else f'<time datetime="{at.isoformat()}">{at:%H:%M}<small>{at:%S}</small></time>'
    said = " · ".join(html.escape(each) for each in (entry.place, entry.why) if each)
    many = f"{entry.pictures} picture{'' if entry.pictures == 1 else 's'}"
    return (
        f'<li><a class="shots" href="pictures/{entry.id}/frame-1.jpg">'
        f"{_picture(entry.face, 'face', 'The face')}{_picture(entry.frame, 'frame', 'The whole picture')}</a>"
        f'<div class="about"><h3>{time}</h3><p>{said or "nothing else is known"}</p>'
        f'<p class="more"><a href="pictures/{entry.id}/">{many}, {_size(entry.size_bytes)}</a>'
        f"<code>{entry.id[:13]}</code></p></div></li>"
    )


def _picture(jpeg: bytes | None, kind: str, words: str) -> str:
    if jpeg is None:
        return f'<span class="{kind} none">no preview</span>'
    data = base64.b64encode(jpeg).decode()
    return f'<img class="{kind}" alt="{words}" loading="lazy" src="data:image/jpeg;base64,{data}">'


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 950_000 else f"{max(size_bytes // 1000, 1)} kB"  # noqa: PLR2004 - what rounds to 1.0 MB


def _why(facts: dict[str, Any]) -> str:
    rule, score, threshold = facts.get("rule"), facts.get("score"), facts.get("threshold")
    words = _WHY.get(rule, "") if isinstance(rule, str) else ""
    if rule == "below_threshold" and _is_likeness(score) and _is_likeness(threshold):
        return f"{words} (likeness {score:.2f}, {threshold:.2f} wanted)"
    return words


def _is_likeness(value: object) -> bool:
    """A number that is one of ours; no NaN, nothing endless, nothing of four hundred digits."""
    return isinstance(value, int | float) and -_FARTHEST <= value <= _FARTHEST


def _shown(text: str) -> str:
    """A name without what is no character, or turns others about: surrogates, controls, direction."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _moment(text: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(text) if isinstance(text, str) else None
        if at is None or at.tzinfo is None or not _FIRST_YEAR <= at.year <= _LAST_YEAR:
            return None
        return at.astimezone()
    except (ValueError, OverflowError):
        return None


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


_EMPTY = """<p class="empty">Nothing that was fetched could be opened here, or nobody came by in these days.
What comes stands here after the next <code>appliance captures pull</code>.</p>"""

_STYLE = """
:root { color-scheme: light dark; --paper: #faf9f6; --surface: #fff; --sunken: #f1efea; --line: #dedad2;
  --ink: #1c1b19; --soft: #5a564f; --accent: #0b6b5d; }
@media (prefers-color-scheme: dark) { :root { --paper: #131311; --surface: #1c1c19; --sunken: #24241f;
  --line: #34332d; --ink: #f2f0ea; --soft: #b3aea3; --accent: #6fd0be; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.45;
  font-family: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, Cantarell, "Noto Sans",
    sans-serif; }
header, main, footer { width: min(100% - 2.5rem, 96rem); margin-inline: auto; }
header { padding-block: clamp(2rem, 6vw, 4.5rem) clamp(1rem, 3vw, 2rem); }
h1 { margin: 0; font-size: clamp(2.2rem, 1.6rem + 2.6vw, 3.6rem); line-height: 1.08; letter-spacing: -.035em;
  font-weight: 660; text-wrap: balance; }
h1 em { font-style: normal; color: var(--accent); }
header p { margin: .75rem 0 0; color: var(--soft); }
h2 { position: sticky; top: 0; z-index: 1; margin: 0 0 1rem; padding-block: .75rem; background: var(--paper);
  font-size: 1.1rem; letter-spacing: -.01em; border-bottom: 1px solid var(--line); display: flex; gap: .6rem;
  align-items: baseline; }
h2 small { color: var(--soft); font-weight: 450; }
section { margin-bottom: 2.5rem; }
ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 1.25rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); }
li { background: var(--surface); border: 1px solid var(--line); border-radius: .875rem; overflow: hidden;
  content-visibility: auto; contain-intrinsic-size: auto 16rem; display: flex; flex-direction: column; }
.shots { text-decoration: none; display: grid; grid-template-columns: 2fr 3fr; gap: 2px; height: 9.5rem;
  background: var(--line); }
.shots img { width: 100%; height: 100%; min-height: 0; object-fit: cover; object-position: 50% 35%;
  display: block;
  background: var(--sunken); }
.none { display: grid; place-items: center; background: var(--sunken); color: var(--soft); font-size: .8rem; }
.about { padding: .85rem 1.1rem 1rem; display: grid; gap: .2rem; flex: 1; align-content: start; }
h3 { margin: 0; font-size: 1.5rem; line-height: 1.1; letter-spacing: -.02em;
  font-variant-numeric: tabular-nums; }
h3 small { font-size: .95rem; font-weight: 450; color: var(--soft); margin-left: .15em; }
p { margin: 0; overflow-wrap: anywhere; }
.more { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: 0 .75rem;
  color: var(--soft); font-size: .9rem; margin-top: auto; }
.more a { color: var(--accent); text-underline-offset: .2em; min-height: 2.75rem; display: inline-flex;
  align-items: center; }
code { font: .85em ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, monospace;
  color: var(--soft); }
a:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; border-radius: .3rem; }
.shots:focus-visible { outline-offset: -3px; }
.empty { max-width: 38rem; font-size: 1.15rem; color: var(--soft); }
footer { padding-block: 1rem 4rem; color: var(--soft); font-size: .9rem; max-width: 96rem; }
footer p { max-width: 42rem; }
@media print { h2 { position: static; } li { break-inside: avoid; } }
"""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">
<title>Strangers at the door</title><style>{style}</style></head><body>
<header><h1>{shown} at the door</h1>
<p>Made <time datetime="{iso}">{made}</time> from what was fetched and opened here.</p></header>
<main>{body}</main>
<footer><p>These are pictures of people who did not ask to be in them. Delete what you
do not need, from <code>pictures</code> and <code>sealed</code>: what was fetched once is not fetched
again, and the next call takes it off this sheet.</p></footer>
</body></html>
"""
