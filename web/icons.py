"""The symbols of the pages, written into them: a file of symbols would be one more to wait for.

They are read once, from `static/icons/sprite.svg`: a `<symbol>` a line, 24 by 24.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from markupsafe import Markup

FILE: Final = Path(__file__).parent / "static" / "icons" / "sprite.svg"

_SYMBOL: Final = re.compile(r'<symbol id="([a-z-]+)" viewBox="0 0 24 24">(.*)</symbol>')


def symbols(file: Path = FILE) -> Mapping[str, Markup]:
    """What each symbol is drawn of, by its name."""
    return {name: Markup(drawn) for name, drawn in _SYMBOL.findall(file.read_text(encoding="utf-8"))}  # noqa: S704


_SYMBOLS: Final = symbols()


def icon(name: str, label: str = "") -> Markup:
    """A symbol; decoration unless it has a label.

    Args:
        name: Of the symbol.
        label: What it says to who cannot see it.

    Raises:
        KeyError: There is no such symbol: a mistake in a template, found by its first test.
    """
    told = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" viewBox="0 0 24 24" {}>{}</svg>').format(told, _SYMBOLS[name])
