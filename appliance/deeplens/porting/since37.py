"""What Python took out of its library since 3.7, put back for functions written then.

`install()` only adds what is missing, Pillow's names among it (`pillow_names.py`). Those of numpy and OpenCV
are not put back but rewritten: `numpy_names.py`, `opencv_names.py`. Nothing happens on import.
"""

import array
import base64
import collections
import collections.abc
import errno
import fractions
import html
import inspect
import math
import os
import platform
import sys
import threading
import time
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

from appliance.deeplens.porting import pillow_names, when_imported


class ArgSpec(NamedTuple):
    """What `inspect.getargspec` gave."""

    args: list[str]
    varargs: str | None
    keywords: str | None
    defaults: tuple[Any, ...] | None


def getargspec(function: Any) -> ArgSpec:
    """`inspect.getargspec`, gone since 3.11."""
    return ArgSpec(*inspect.getfullargspec(function)[:4])


def _distribution(*_positional: Any, **_named: Any) -> tuple[str, str, str]:
    """`platform.dist`, gone since 3.8: what a DeepLens answered."""
    return ("Ubuntu", "16.04", "xenial")


def _escape(text: str, quote: bool = False) -> str:  # noqa: FBT001, FBT002 - cgi's own signature
    """`cgi.escape`, gone since 3.8."""
    return html.escape(text, quote)


def _cgi(cgi: Any) -> None:
    _put(cgi, "escape", _escape)


_ADDED: dict[str, when_imported.Added] = {"cgi": _cgi}


def install() -> None:
    """Put back what is missing. May be called again."""
    for name in collections.abc.__all__:
        _put(collections, name, getattr(collections.abc, name))
    _put(time, "clock", time.process_time)
    _put(inspect, "getargspec", getargspec)
    _put(threading.Thread, "isAlive", threading.Thread.is_alive)
    for module, old, new in (
        (threading, "_sleep", time.sleep),
        (base64, "encodestring", base64.encodebytes),
        (base64, "decodestring", base64.decodebytes),
        (fractions, "gcd", math.gcd),
        (os, "errno", errno),
        (platform, "dist", _distribution),
        (platform, "linux_distribution", _distribution),
    ):
        _put(module, old, new)
    # Deprecated and named for removal; quiet, as it was.
    threading.Event.isSet = threading.Event.is_set  # type: ignore[method-assign]
    threading.currentThread = threading.current_thread
    threading.activeCount = threading.active_count
    sys.modules.setdefault("xml.etree.cElementTree", ET)
    when_imported.install(_ADDED)
    _put(array, "ArrayType", array.array)
    pillow_names.install()


def _put(where: Any, name: str, value: Any) -> None:
    if not hasattr(where, name):
        setattr(where, name, value)
