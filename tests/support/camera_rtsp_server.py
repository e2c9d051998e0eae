"""A real RTSP server, GStreamer's: run by Debian's own Python, which has its bindings.

    /usr/bin/python3 camera_rtsp_server.py CLIP [PASSWORD]

Serves a pattern as Motion JPEG at /jpeg and the H.264 clip at /clip, on a free port of this
machine, which it prints on the first line. Needs python3-gi, gir1.2-gst-rtsp-server-1.0,
gstreamer1.0-plugins-good and -bad.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402 - the versions come first

PATTERN = (
    "( videotestsrc is-live=true pattern=white ! video/x-raw,format=I420,width=320,height=192,framerate=25/1 "
    "! jpegenc ! rtpjpegpay name=pay0 pt=26 )"
)
CLIP = "( filesrc location={} ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=0 )"


def serve(clip: str, password: str) -> None:
    """Serve until killed."""
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    for path, pipeline in (("/jpeg", PATTERN), ("/clip", CLIP.format(clip))):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(pipeline)
        if password:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role("viewer", "media.factory.access", True)  # noqa: FBT003 - GStreamer's
            permissions.add_permission_for_role("viewer", "media.factory.construct", True)  # noqa: FBT003 - GStreamer's
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(path, factory)
    if password:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "viewer")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic("watcher", password), token)
        server.set_auth(auth)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
