"""A dispatcher over the real store in a process of its own: `dispatch_process.py FOLDER`.

Its actions write a line to FOLDER/done when they begin and one when they end; the song
takes until FOLDER/go exists.
"""

import signal
import sys
import threading
from pathlib import Path

from outboxes import StoreBench

from appliance.backoff import BackOff
from appliance.clock import SystemClock
from appliance.dispatch import CommandAction, Dispatcher, Plan

FOLDER = Path(sys.argv[1])
SCRIPT = """
echo begin $0 >> "$1/done"
while [ "$0" = song ] && [ ! -e "$1/go" ]; do sleep 0.05; done
echo end $0 >> "$1/done"
"""

if __name__ == "__main__":
    stop, wake = threading.Event(), threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    actions = {
        name: Plan(CommandAction(["/bin/sh", "-c", SCRIPT, name, str(FOLDER)], 60))
        for name in ("song", "hook")
    }
    bench = StoreBench(FOLDER)
    Dispatcher(
        bench.outbox, actions, SystemClock(), BackOff(first_s=0.1, cap_s=1), wake, poll_s=0.1, grace_s=0.3
    ).run(stop)
    bench.store.close()
