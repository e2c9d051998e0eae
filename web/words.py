"""What every template can say: who looks at it, where they may go, times, sizes, addresses of our files.

Only words and addresses; what a page shows comes from its view.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flask import Flask, current_app, request, session
from markupsafe import Markup

from appliance.errors import ApplianceError
from appliance.phrases import lasting
from web import cookies, forms
from web.access import Who, declared, who
from web.icons import icon
from web.static_files import asset, preloads
from web.surroundings import surroundings

_KILO = 1000
_UNITS = ("bytes", "kB", "MB", "GB")
_TEN = 10


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere the navigation leads.

    Attributes:
        path: Its address.
        label: Its word.
        icon: Name of a symbol in `icons/sprite.svg`.
        also: Addresses that belong to it without beginning with its own.
        about: What is there, in a line, where there is room for one.
    """

    path: str
    label: str
    icon: str
    also: tuple[str, ...] = ()
    about: str = ""

    def holds(self, path: str) -> bool:
        """Whether a page belongs to it."""
        roots = (*(() if self.path == "/" else (self.path,)), *self.also)
        return path == self.path or any(path == root or path.startswith(f"{root}/") for root in roots)


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead somewhere: what needs an eye, and where that is seen to.

    Attributes:
        words: Of the link.
        href: Where it leads.
    """

    words: str
    href: str


OFFICE: Final = (
    Place("/moments", "Moments", "chart", (), "What was seen, when, and how often."),
    Place("/clips", "Clips", "film", (), "Video of what happened, kept sealed."),
    Place("/search", "Search", "eye", (), "Show the camera a thing: what is like it in the catalogue."),
    Place("/coffee", "Coffee", "coffee", (), "Who leads, and every cup of the last day."),
    Place("/songs", "Songs", "song", (), "What is played, for whom, and how loud."),
    Place("/rules", "Rules", "rule", ("/groups", "/outbox"), "What is done, and when."),
    Place("/connections", "Connections", "broadcast", (), "Who else is told what happens."),
    Place("/locks", "Locks", "lock", (), "What opens a door, and for whom."),
    Place("/functions", "DeepLens", "lens", (), "Functions written for AWS DeepLens, run here."),
)
"""What the office has of it; those are shown that there are and whose page may be seen."""

_OFFICE_PLACE: Final = Place(
    "/office", "Office", "office", tuple(path for each in OFFICE for path in (each.path, *each.also))
)
"""Where there is no room for all of them: one page that leads to each."""

PLACES: Final = (
    Place("/", "Home", "home"),
    Place("/live", "Live", "live"),
    Place("/log", "Log", "log"),
    Place("/people", "People", "people"),
    Place(
        "/settings",
        "Settings",
        "settings",
        ("/set-up", "/cameras", "/doors", "/recipients", "/operators", "/devices", "/system"),
    ),
)
"""The navigation, for those who may; five and the office, for that is what a phone's bar holds."""


def install(app: Flask) -> None:
    """Give an application's templates these words."""
    app.context_processor(_words)
    app.jinja_env.globals.update(
        csrf=forms.hidden_field, csrf_token=forms.token, asset=asset, icon=icon, preloads=preloads
    )
    app.jinja_env.filters.update(
        moment=moment,
        day=day,
        hour=hour,
        second=second,
        lasting=lasting,
        size=size,
        sentence=sentence,
    )
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True


def caller() -> Who | None:
    """Who looks at the page; None too where the desk cannot say, so that a page of faults can be shown."""
    try:
        return who()
    except ApplianceError:
        return None


def moment(value: str | datetime | None) -> Markup:
    """A time by the box's clock, as all times are: the log's days are the box's, and so are its hours.

    The page's script writes it in the reader's own way, and says so where their clock shows another hour.

    Args:
        value: Aware, or ISO 8601; None is a dash.
    """
    return _time(value, "%d %b %Y, %H:%M", "moment")


def day(value: str | datetime | None) -> Markup:
    """A date, likewise."""
    return _time(value, "%d %b %Y", "day")


def hour(value: str | datetime | None) -> Markup:
    """A time of day, likewise."""
    return _time(value, "%H:%M", "hour")


def second(value: str | datetime | None) -> Markup:
    """A time of day to the second, likewise."""
    return _time(value, "%H:%M:%S", "second")


def size(value: float) -> str:
    """Bytes as people say them: `812 bytes`, `4.2 kB`, `17 MB`, `1.1 GB`."""
    if value < _KILO:
        return f"{value:.0f} bytes"
    power = min(int(math.log(value, _KILO)), len(_UNITS) - 1)
    unit, shown = _UNITS[power], value / _KILO**power
    return f"{shown:.1f} {unit}" if shown < _TEN else f"{shown:.0f} {unit}"


def sentence(words: str) -> str:
    """What an error says, as a sentence: with a capital and a full stop, where it lacks them."""
    words = words.strip()
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '!', '?')) else '.'}" if words else ""


def _time(value: str | datetime | None, form: str, kind: str) -> Markup:
    if value is None or value == "":
        return Markup("&ndash;")
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    local = at.astimezone() if at.tzinfo else at.replace(tzinfo=UTC).astimezone()
    return Markup('<time datetime="{}" data-{}>{}</time>').format(
        local.isoformat(timespec="seconds"), kind, local.strftime(form)
    )


def _words() -> dict[str, Any]:
    viewer = caller()
    return {
        "caller": viewer,
        "places": _seen(PLACES, viewer),
        "office": _seen(OFFICE, viewer),
        "office_place": _OFFICE_PLACE,
        "here": request.path,
        "there": there,
        "theme": cookies.theme(),
        "clock": surroundings().clock.wall().astimezone().isoformat(timespec="seconds"),
        "setting_up": bool(session.get("setting_up")) and request.path not in {"/", "/set-up"},
    }


def there(path: str) -> bool:
    """Whether the site has such a page."""
    return any(rule.rule == path for rule in current_app.url_map.iter_rules())


def _seen(places: tuple[Place, ...], viewer: Who | None) -> list[Place]:
    """Those that there are, whose page may be seen by who looks."""
    if viewer is None:
        return []
    needed = {
        rule.rule: declared(current_app, rule)
        for rule in current_app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
    }
    return [each for each in places if (needs := needed.get(each.path)) and viewer.may(needs)]
