"""The sender as the appliance runs it: on a thread of its own, over TLS, with boto3 asking."""

import contextlib
import ssl
import threading
from pathlib import Path

import pytest
import trustme
from kvs_box import NOON_MS, clip, credentials_file, toy_seal, toy_unseal
from kvs_local import CREDENTIAL, PROMPT, LocalKvs, local_kvs
from pydantic import ValidationError

from appliance.clock import SystemClock
from appliance.errors import StreamError
from appliance.settings import KvsSettings, Settings, stream_of
from appliance.settings.relations import relations
from appliance.video.kvs.connecting import Connecting
from appliance.video.kvs.control import Control
from appliance.video.kvs.credentials import CredentialSource
from appliance.video.kvs.endpoints import Endpoints
from appliance.video.kvs.preparing import Preparing, StreamWish
from appliance.video.kvs.spool import Spool
from appliance.video.kvs.spool_files import SpoolEntry
from appliance.video.kvs.uploader import Uploader
from appliance.video.kvs_server.server import DEFAULT_REGION


class Noticing(Spool):
    """A spool that says of each fragment that it was stored."""

    arrived = threading.Semaphore(0)

    def stored(self, entry: SpoolEntry) -> bool:
        """See `Spool`."""
        found = super().stored(entry)
        self.arrived.release()
        return found


def settings_for(service: LocalKvs, folder: Path, authority: trustme.CA) -> KvsSettings:
    """Settings that trust an authority."""
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return KvsSettings(
        endpoint=service.address,
        region=DEFAULT_REGION,
        ca_file=folder / "ca.pem",
        credentials_file=credentials_file(folder, CREDENTIAL.secret_key, key=CREDENTIAL.access_key),
    )


def test_a_clip_arrives_over_tls_from_a_thread_of_its_own(tmp_path: Path) -> None:
    """Questions and video alike trust the file that is named, and no authority that is not in it."""
    authority, other, clock = trustme.CA(), trustme.CA(), SystemClock()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "own.pem")
    with local_kvs(manners=PROMPT, tls=(context, str(tmp_path / "own.pem"))) as service:
        settings = settings_for(service, tmp_path, authority)
        source = CredentialSource(settings)
        control = Control(settings, source, clock)
        uploader = Uploader(
            Noticing(tmp_path / "spool", toy_seal, toy_unseal, max_bytes=1_000_000),
            Preparing(StreamWish("hall", 24), control, clock),
            Connecting("hall", settings, Endpoints(control, clock), source, clock),
            clock,
        )
        uploader.start()
        try:
            for fragment in clip(NOON_MS, 3):
                assert uploader.offer("clip-1", fragment)
            assert all(Noticing.arrived.acquire(timeout=60) for _ in range(3))
        finally:
            uploader.close()
        strange = settings_for(service, tmp_path, other)
        with pytest.raises(StreamError) as caught:
            Control(strange, CredentialSource(strange), clock).describe("hall")

    assert (3, 0, "") == (uploader.state.persisted, uploader.state.waiting, uploader.state.trouble)
    assert "certificate" == caught.value.reason


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{site}-{camera}", "office-hall"),
        ("deeplens-{camera}", "deeplens-hall"),
        ("one.stream_only", "one.stream_only"),
    ],
)
def test_a_camera_has_its_stream_by_the_settings(pattern: str, name: str) -> None:
    """The names of a DeepLens, too."""
    assert stream_of(KvsSettings(stream=pattern), "office", "hall") == name


@pytest.mark.parametrize(
    ("stream", "enabled", "cameras", "fits"),
    [
        ("one", True, 2, False),
        ("one", False, 2, True),
        ("one", True, 1, True),
        ("{camera}", True, 2, True),
    ],
)
def test_two_cameras_have_no_stream_together(stream: str, *, enabled: bool, cameras: int, fits: bool) -> None:
    """A stream has one connection: refused at the setting that would have them share it."""
    raw = {
        "cameras": [
            {"id": f"c{number}", "source": "scene:door", "when": "always"} for number in range(cameras)
        ],
        "video": {"kvs": {"enabled": enabled, "stream": stream}},
    }

    assert ([] if fits else [("video", "kvs", "stream")]) == [each.place for each in relations(raw)]
    with contextlib.nullcontext() if fits else pytest.raises(ValidationError, match="one camera's video"):
        Settings.model_validate(raw)


@pytest.mark.parametrize("pattern", ["", "a b", "{person}", "../x", "é"])
def test_a_name_that_no_stream_can_have_is_refused(pattern: str) -> None:
    """By the settings, before anything is asked."""
    with pytest.raises(ValueError, match="stream"):
        KvsSettings(stream=pattern)
