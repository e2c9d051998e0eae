"""Pillow's names of before 2023, put back when a function imports Pillow.

`Image.ANTIALIAS` and what measured a text went with Pillow 10. Only what is missing is added, and Pillow is
not imported here: whoever does not use it does not wait for it. Nothing happens on import.
"""

from collections.abc import Callable
from typing import Any

from appliance.deeplens.porting import when_imported


def _image(image: Any) -> None:
    for old, new in (("ANTIALIAS", "LANCZOS"), ("LINEAR", "BILINEAR"), ("CUBIC", "BICUBIC")):
        _put(image, old, getattr(image, new))


def _draw(image_draw: Any) -> None:
    _put(image_draw.ImageDraw, "textsize", _text_size)
    _put(image_draw.ImageDraw, "multiline_textsize", _text_size)


def _font(image_font: Any) -> None:
    for kind in ("ImageFont", "FreeTypeFont", "TransposedFont"):
        _put(getattr(image_font, kind), "getsize", _size)


def _text_size(draw: Any, text: Any, font: Any = None, *more: Any, **named: Any) -> tuple[int, int]:
    """Width and height from the pen's place on: `textsize`, gone since Pillow 10."""
    names = ("spacing", "direction", "features", "language", "stroke_width")
    given = {**dict(zip(names, more, strict=False)), **named}
    box = draw.textbbox((0, 0), text, font=font, **given)
    return int(box[2]), int(box[3])


def _size(font: Any, text: Any, *more: Any, **named: Any) -> tuple[int, int]:
    """Likewise of a font: `getsize`."""
    box = font.getbbox(text, *more, **named)
    return int(box[2]), int(box[3])


ADDED: dict[str, Callable[[Any], None]] = {
    "PIL.Image": _image,
    "PIL.ImageDraw": _draw,
    "PIL.ImageFont": _font,
}
"""What is done to which module, once it is imported."""


def install() -> None:
    """From now on, and to what is imported already. May be called again."""
    when_imported.install(ADDED)


def _put(where: Any, name: str, value: Any) -> None:
    if not hasattr(where, name):
        setattr(where, name, value)
