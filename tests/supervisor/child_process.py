"""A little child for the tests: `child_process.py NAME LOG WHAT [ARGUMENT …]`.

It writes `NAME up PID` and `NAME down` to LOG. WHAT is one of: stay, stubborn, exit CODE,
words CODE MESSAGE, loses MESSAGE, once CODE MARKER, serve SOCKET, grandchild, abandoned.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType


def say(text: str) -> None:
    """Append a line to the log, in one write."""
    with LOG.open("ab", buffering=0) as log:
        log.write(f"{NAME} {text}\n".encode())


def down(_signal: int, _frame: FrameType | None) -> None:
    """Leave in good order."""
    say("down")
    sys.exit(0)


def stay() -> None:
    """Until SIGTERM."""
    signal.signal(signal.SIGTERM, down)
    say(f"up {os.getpid()}")
    while True:
        signal.pause()


NAME, LOG, WHAT, REST = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4:]

if WHAT == "stay":
    stay()
elif WHAT == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say(f"up {os.getpid()}")
    while True:
        signal.pause()
elif WHAT == "exit":
    say(f"up {os.getpid()}")
    sys.exit(int(REST[0]))
elif WHAT == "words":
    from appliance.errors import SettingsError
    from appliance.supervisor import leave_last_words

    say(f"up {os.getpid()}")
    leave_last_words(SettingsError(REST[1], hint="look at line 3"))
    sys.exit(int(REST[0]))
elif WHAT == "loses":
    from appliance.errors import StoreError
    from appliance.supervisor import leave_last_words

    def lost(_signal: int, _frame: FrameType | None) -> None:
        """Leave in good order, but not with empty hands."""
        error = StoreError(REST[0], hint="free some space")
        leave_last_words(error)
        sys.exit(error.exit_code)

    signal.signal(signal.SIGTERM, lost)
    say(f"up {os.getpid()}")
    while True:
        signal.pause()
elif WHAT == "once":
    say(f"up {os.getpid()}")
    if not Path(REST[1]).exists():
        Path(REST[1]).touch()
        sys.exit(int(REST[0]))
    stay()
elif WHAT == "serve":
    from appliance.supervisor import die_with_parent
    from appliance.wire import Server

    die_with_parent()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    say(f"up {os.getpid()}")
    Server(Path(REST[0]), {}).serve(stop)
elif WHAT == "grandchild":
    left = subprocess.Popen(["sleep", "600"])
    say(f"left {left.pid}")
    stay()
elif WHAT == "tied":
    from appliance.supervisor import die_with_parent

    die_with_parent()
    stay()
