"""Sealing and copying killed at random moments: no capture is lost, none is twice in the bucket."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest
from copies import until_done
from s3_server import FaultyS3
from sealed_spool import SealedSpool

from appliance.app.adoption import adopt_captures
from appliance.app.copies import SpoolFiles
from appliance.camera.jpeg import encode_jpeg
from appliance.clock import SystemClock
from appliance.events import StrangerCaptured
from appliance.evidence import Spool
from appliance.services import Layout, open_services
from appliance.settings import EvidenceSettings, S3Settings, Settings
from appliance.sinks.naming import target_of
from appliance.values import CopyState

MOMENTS = 50
SYNCER = Path(__file__).parents[1] / "support" / "syncer.py"
Make = Callable[..., S3Settings]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_killed_at_any_moment_nothing_is_lost_and_nothing_doubled(
    s3: FaultyS3, settings: Make, credentials: Path, tmp_path: Path
) -> None:
    """What was promised is in the spool, each capture is in the bucket in one version, and notes say so."""
    with open_services(Settings(), Layout(tmp_path / "state"), create=True) as services:
        spool = SealedSpool(services)
        recipient = str(pyrage.x25519.Identity.generate().to_public())
        source = random.Random(5)
        path = os.pathsep.join([str(SYNCER.parent), *sys.path])
        killed = subprocess.Popen(
            [sys.executable, SYNCER, services.layout.state, s3.endpoint, credentials, s3.bucket, recipient],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert killed.stdin is not None
        assert killed.stdout is not None
        promised: set[str] = set()
        moments = 0
        while moments < MOMENTS or len(promised) <= MOMENTS:
            # A slow machine gets longer, so that children come to seal something there as well.
            killed.stdin.write(f"{source.uniform(0, 0.3) * (1 + moments // MOMENTS)}\n")
            moments += 1
            while (line := killed.stdout.readline().strip()) != "done":
                promised.add(line.removeprefix("captured "))
        killed.communicate(timeout=30)

        files = SpoolFiles(services.layout.spool, services.store)
        adopt_captures(
            services.store,
            Spool(services.layout.spool, EvidenceSettings(), SystemClock(), encode_jpeg),
        )
        until_done(settings(), services)
        kept = {each.id: each.size_bytes for each in files.list()}
        events = services.store.events(types=("stranger_captured",), limit=1_000_000)
        logged = [stored.event.capture for stored in events if isinstance(stored.event, StrangerCaptured)]

        assert promised <= set(kept)
        assert len(kept) > MOMENTS
        assert sorted(kept) == sorted(logged)
        assert sorted((spool.key(each), size) for each, size in kept.items()) == s3.versions()
        assert all(spool.content(each) == s3.content(spool.key(each)) for each in kept)
        assert dict.fromkeys(kept, CopyState.VERIFIED) == services.store.remote_copies(target_of(settings()))
        puts = sum(asked.method == "PUT" and "uploadId" not in asked.path for asked in s3.asked)
        assert puts < 2 * len(kept) + moments
