"""Starts `camera_rtsp_server.py` under Debian's Python, if that can run it."""

import functools
import subprocess
from pathlib import Path

PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("camera_rtsp_server.py")
CHECK = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; "
    "Gst.init(None); names = 'rtpjpegpay jpegenc h264parse qtdemux rtph264pay videotestsrc'.split(); "
    "raise SystemExit(not all(map(Gst.ElementFactory.find, names)))"
)


@functools.cache
def available() -> bool:
    """Whether Debian's Python is there with everything the server needs."""
    try:
        return not subprocess.run([PYTHON, "-c", CHECK], check=False, capture_output=True).returncode
    except OSError:
        return False


def start(clip: Path, password: str) -> subprocess.Popen[str]:
    """Start serving that clip."""
    argv = [PYTHON, str(SCRIPT), str(clip), password]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def port_of(server: subprocess.Popen[str]) -> int:
    """The port it printed; waits for it."""
    if server.stdout is None:
        raise ValueError("its output was not kept")
    with server.stdout as out:
        return int(out.readline())
