"""Pillow's names of before 2023, put back when a function imports Pillow.

`Image.ANTIALIAS` and what measured a text went with Pillow 10. Only what is missing is added, and Pillow is
not imported here: whoever does not use it does not wait for it. Nothing happens on import.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any


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


class _Loader(importlib.abc.Loader):
    """Loads as another does, and adds the old names."""

    def __init__(self, inner: Any, added: Callable[[Any], None]) -> None:
        self._inner = inner
        self._added = added

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """The module, as the other loader makes it."""
        made: ModuleType | None = self._inner.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """Run it, then add."""
        self._inner.exec_module(module)
        self._added(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of `ADDED` where they are."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """The specification with our loader around its own; None for everything else."""
        if fullname not in ADDED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, ADDED[fullname])
        return spec


def install() -> None:
    """From now on, and to what is imported already. May be called again."""
    if not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    for name, added in ADDED.items():
        if name in sys.modules:
            added(sys.modules[name])


def _put(where: Any, name: str, value: Any) -> None:
    if not hasattr(where, name):
        setattr(where, name, value)
