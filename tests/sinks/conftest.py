"""Fixtures of the sinks: one S3 server for all tests, a box with a spool of sealed files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from s3_server import FaultyS3, faulty_s3
from sealed_spool import SealedSpool

from appliance.services import Layout, Services, open_services
from appliance.settings import S3Settings, Settings


@pytest.fixture(scope="session")
def server() -> Iterator[FaultyS3]:
    """Started once; each test begins with an empty bucket, see `s3`."""
    with faulty_s3() as running:
        yield running


@pytest.fixture
def s3(server: FaultyS3) -> FaultyS3:
    """With an empty bucket and nothing wrong."""
    server.fresh()
    return server


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    """A file as AWS's tools write it."""
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = AKIATEST\naws_secret_access_key = of-a-test\n")
    file.chmod(0o600)
    return file


@pytest.fixture
def settings(s3: FaultyS3, credentials: Path) -> Callable[..., S3Settings]:
    """A bucket's settings; more may be given."""

    def make(**more: object) -> S3Settings:
        given = {
            "bucket": s3.bucket,
            "endpoint": s3.endpoint,
            "credentials_file": str(credentials),
            "addressing": "path",
            "wait_s": 0,
            **more,
        }
        return S3Settings.model_validate(given)

    return make


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """A box, opened once; what is noted is noted per bucket, of which each test has its own."""
    with open_services(Settings(), Layout(tmp_path_factory.mktemp("box") / "state"), create=True) as opened:
        yield opened


@pytest.fixture
def spool(services: Services) -> SealedSpool:
    """The spool of that box, empty."""
    for file in services.layout.spool.glob("*"):
        file.unlink()
    return SealedSpool(services)
