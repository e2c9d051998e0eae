"""Python 2's library for ported code: modules under their old names, and attributes that moved.

The old modules are found last, so that a function's own `Queue.py` wins as it did. Changes nothing that
Python 3 code can see but names it does not ask for. Nothing happens on import.
"""

import configparser
import importlib
import importlib.abc
import importlib.machinery
import itertools
import operator
import os
import string
import sys
import threading
import types
import urllib
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from types import ModuleType
from typing import Any

from appliance.deeplens.porting import python2_response, python2_text

RENAMED: dict[str, tuple[str, ...]] = {
    "BaseHTTPServer": ("http.server",),
    "CGIHTTPServer": ("http.server",),
    "Cookie": ("http.cookies",),
    "HTMLParser": ("html.parser",),
    "Queue": ("queue",),
    "SimpleHTTPServer": ("http.server",),
    "SimpleXMLRPCServer": ("xmlrpc.server",),
    "SocketServer": ("socketserver",),
    "Tkinter": ("tkinter",),
    "UserDict": ("collections",),
    "UserList": ("collections",),
    "UserString": ("collections",),
    "__builtin__": ("builtins",),
    "_winreg": ("winreg",),
    "anydbm": ("dbm",),
    "commands": ("subprocess",),
    "cookielib": ("http.cookiejar",),
    "copy_reg": ("copyreg",),
    "dummy_thread": ("_thread",),
    "exceptions": ("builtins",),
    "future_builtins": ("builtins",),
    "htmlentitydefs": ("html.entities",),
    "httplib": ("http.client",),
    "md5": ("appliance.deeplens.porting.python2_text",),
    "repr": ("reprlib",),
    "robotparser": ("urllib.robotparser",),
    "sets": ("appliance.deeplens.porting.python2_text",),
    "sha": ("appliance.deeplens.porting.python2_text",),
    "thread": ("_thread",),
    "tkMessageBox": ("tkinter.messagebox",),
    "urlparse": ("urllib.parse",),
    "xmlrpclib": ("xmlrpc.client",),
}
"""Python 2's modules, and where what they had is now."""

OF_TEXT = frozenset({"base64", "csv", "hashlib", "hmac", "json", "pickle", "socket", "subprocess"})
"""Modules that exist, but took and gave text where they take and give bytes now: ported files import a
`python2_…` of them, all others the real one."""

_BEFORE_VERBOSE = 5
"""Arguments of `Thread` that stand before `verbose`: group, target, name, args, kwargs."""
_TYPES: dict[str, type] = {
    "BooleanType": bool,
    "ComplexType": complex,
    "DictType": dict,
    "DictionaryType": dict,
    "FileType": object,
    "FloatType": float,
    "InstanceType": object,
    "IntType": int,
    "ListType": list,
    "LongType": int,
    "NoneType": type(None),
    "ObjectType": object,
    "SliceType": slice,
    "StringType": str,
    "TupleType": tuple,
    "TypeType": type,
    "UnicodeType": str,
    "XRangeType": range,
    "ClassType": type,
}


class _Module(ModuleType):
    """An old module: looks for what it is asked for in the new ones, each time anew."""

    def __init__(self, name: str, sources: Sequence[str]) -> None:
        super().__init__(name, f"Python 2's {name}")
        self.__dict__["_sources"] = tuple(sources)

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [each for source in self._sources for each in _public(importlib.import_module(source))]
        for source in self._sources:
            try:
                return getattr(importlib.import_module(source), name)
            except AttributeError:
                continue
        raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds Python 2's modules where nobody else found one of that name."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002 - the protocol's
    ) -> importlib.machinery.ModuleSpec | None:
        """A specification, if the name is one of Python 2's."""
        if fullname in _made() or fullname in RENAMED:
            return importlib.machinery.ModuleSpec(fullname, self)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The old module."""
        made = _made()
        return made[spec.name](spec.name) if spec.name in made else _Module(spec.name, RENAMED[spec.name])

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to run."""


def _made() -> dict[str, Callable[[str], ModuleType]]:
    return {
        "StringIO": python2_text.string_io,
        "cStringIO": python2_text.string_io,
        "ConfigParser": _config_parser,
        "cPickle": partial(_of_text, "pickle"),
        "urllib2": _urllib2,
        **{f"python2_{name}": partial(_of_text, name) for name in OF_TEXT},
    }


class _Parser(configparser.ConfigParser):
    """A parser that reads from open files by the old name."""

    def readfp(self, source: Any, name: str | None = None) -> None:
        """`read_file`."""
        self.read_file(source, name)


class _RawParser(configparser.RawConfigParser):
    """The same, without interpolation."""

    def readfp(self, source: Any, name: str | None = None) -> None:
        """`read_file`."""
        self.read_file(source, name)


def _config_parser(name: str) -> ModuleType:
    module = _Module(name, ("configparser",))
    for old, new in (
        ("ConfigParser", _Parser),
        ("SafeConfigParser", _Parser),
        ("RawConfigParser", _RawParser),
    ):
        setattr(module, old, new)
    return module


def _urllib2(name: str) -> ModuleType:
    module = _Module(name, ("urllib.request", "urllib.error", "urllib.parse"))
    for key, value in python2_response.REPLACED.items():
        setattr(module, key, value)
    return module


def _of_text(original: str, name: str) -> ModuleType:
    module = _Module(name, (original,))
    for key, value in python2_text.REPLACED[original].items():
        setattr(module, key, value)
    return module


def _public(module: ModuleType) -> list[str]:
    return list(getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")]))


def brings(name: str) -> bool:
    """Whether a module of this name is there for ported files."""
    return name in OF_TEXT or name in RENAMED or name in _made()


def install(*, divide: Callable[[Any, Any], Any]) -> None:
    """Make the old modules importable and put the old attributes where they were. May be called again."""
    if not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.append(_Finder())
    _urllib()
    _string()
    _thread()
    for name, value in _TYPES.items():
        _put(types, name, value)
    _put(types, "StringTypes", (str, bytes))
    _put(sys, "maxint", sys.maxsize)
    _put(sys, "setdefaultencoding", _nothing)
    _put(sys, "exc_clear", _nothing)
    _put(os, "getcwdu", os.getcwd)
    _put(uuid.UUID, "get_hex", lambda number: number.hex)
    _put(uuid.UUID, "get_urn", lambda number: number.urn)
    for name in ("map", "filter", "zip"):
        _put(itertools, f"i{name}", {"map": map, "filter": filter, "zip": zip}[name])
    _put(itertools, "izip_longest", itertools.zip_longest)
    _put(itertools, "ifilterfalse", itertools.filterfalse)
    for name in ("div", "__div__", "idiv", "__idiv__"):
        _put(operator, name, divide)
    _put(operator, "isCallable", callable)
    _put(operator, "sequenceIncludes", operator.contains)
    _put(operator, "isSequenceType", _is_sequence)
    _put(operator, "isMappingType", _is_mapping)
    _put(operator, "isNumberType", _is_number)


def _urllib() -> None:
    """`urllib.urlopen` and everything else that now is one level deeper, looked up each time anew."""
    deeper = _Module("urllib", ("urllib.request", "urllib.parse", "urllib.error", "urllib.response"))

    def found(name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module 'urllib' has no attribute '{name}'")
        if name in {"request", "parse", "error", "response", "robotparser"}:
            return importlib.import_module(f"urllib.{name}")
        return python2_response.urlopen if name == "urlopen" else getattr(deeper, name)

    _put(urllib, "__getattr__", found)


def _thread() -> None:
    """`Thread(…, verbose)`, and what a class of one's own found as `self._Thread__target`."""
    _put(threading, "_Timer", threading.Timer)
    thread: Any = threading.Thread
    if hasattr(thread, "_Thread__target"):
        return
    for name in ("args", "kwargs", "name", "target"):
        setattr(thread, f"_Thread__{name}", _called_otherwise(f"_{name}"))
    begin = thread.__init__

    def begun(self: Any, *positional: Any, **named: Any) -> None:
        named.pop("verbose", None)
        begin(self, *positional[:_BEFORE_VERBOSE], **named)

    thread.__init__ = begun


def _called_otherwise(name: str) -> property:
    return property(
        operator.attrgetter(name),
        lambda owner, value: setattr(owner, name, value),
        lambda owner: delattr(owner, name),
    )


def _string() -> None:
    for old, new in (("letters", "ascii_letters"), ("lowercase", "ascii_lowercase")):
        _put(string, old, getattr(string, new))
    _put(string, "uppercase", string.ascii_uppercase)
    _put(string, "maketrans", str.maketrans)
    _put(string, "join", lambda words, separator=" ": separator.join(words))
    _put(string, "joinfields", lambda words, separator=" ": separator.join(words))
    _put(string, "splitfields", lambda text, *more: text.split(*more))
    for name in ("atoi", "atol"):
        _put(string, name, int)
    _put(string, "atof", float)
    for name in (
        *(
            "capitalize",
            "center",
            "count",
            "expandtabs",
            "find",
            "index",
            "ljust",
            "lower",
            "lstrip",
            "replace",
        ),
        *("rfind", "rindex", "rjust", "rsplit", "rstrip", "split", "strip", "swapcase", "translate", "upper"),
        "zfill",
    ):
        _put(string, name, getattr(str, name))


def _is_sequence(value: object) -> bool:
    return hasattr(value, "__getitem__")


def _is_mapping(value: object) -> bool:
    return hasattr(value, "__getitem__")


def _is_number(value: object) -> bool:
    return hasattr(value, "__int__")


def _nothing(*_args: object) -> None:
    """`sys.setdefaultencoding` and `sys.exc_clear` have nothing left to do."""


def _put(where: Any, name: str, value: Any) -> None:
    if not hasattr(where, name):
        setattr(where, name, value)
