"""What hosted functions publish to their infer topics, told to whoever on the box makes something of it.

What they make of it is theirs, in `function_sightings` and `function_features`; what leaves the box is
`function_publishing`'s.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Final

from appliance.deeplens.messages import FunctionMessage
from appliance.deeplens.project import Project

Published = Callable[[Project, FunctionMessage], None]
"""Told of each message that a function publishes; returns at once."""

_LEAVE_S: Final = 3.0


def also_told(published: Published, *listeners: Published | None) -> Published:
    """Tell who publishes of every message, and then each of those that listen of what goes to an infer topic.

    Args:
        published: Who publishes.
        listeners: None: nobody, for the settings want none.
    """
    there = [each for each in listeners if each is not None]

    def all_of_them(project: Project, message: FunctionMessage) -> None:
        published(project, message)
        if message.topic == project.infer_topic:
            for each in there:
                each(project, message)

    return all_of_them


@contextlib.contextmanager
def handing_over(run: Callable[[threading.Event], object], name: str) -> Iterator[None]:
    """A thread that hands over what waits, until the end of the block: told by an event, it is waited for."""
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(stop,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_LEAVE_S)
