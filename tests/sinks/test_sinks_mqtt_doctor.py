"""What the doctor says of broker and webhooks: what cannot be read, and what goes in the clear."""

from pathlib import Path
from typing import Any

import pytest
from mosquitto import Certificates, certificates

from appliance.app.examining.told import told
from appliance.services import Layout
from appliance.settings import Settings


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Certificates of a broker and a client."""
    return certificates(tmp_path_factory.mktemp("papers"))


def found(**given: Any) -> list[tuple[str, str, str]]:
    """Subject, health and words of what is found."""
    return [
        (each.subject, each.health, each.words)
        for each in told(Settings.model_validate(given), Layout(Path()))
    ]


def paths(papers: Certificates) -> dict[str, Path]:
    """How a client is set that has a certificate."""
    return {"ca_file": papers.authority, "certificate": papers.client, "private_key": papers.client_key}


def test_without_either_there_is_nothing_to_say() -> None:
    """Most boxes have neither."""
    assert [] == found()


def test_a_broker_whose_certificates_can_be_read_is_well(papers: Certificates) -> None:
    """Nothing is connected to find that out."""
    papers.client_key.chmod(0o600)

    assert [("mqtt", "ok", "events are published to broker")] == found(
        mqtt={"host": "broker", **paths(papers)}
    )


def test_a_key_that_others_can_read_is_a_problem(papers: Certificates) -> None:
    """Whoever reads it is the box to the broker."""
    papers.client_key.chmod(0o644)
    ((_, health, words),) = found(mqtt={"host": "broker", **paths(papers)})

    assert ("problem", True) == (health, "can be read by other users" in words)


@pytest.mark.parametrize("field", ["ca_file", "certificate", "private_key"])
def test_a_file_that_is_none_is_a_problem(papers: Certificates, tmp_path: Path, field: str) -> None:
    """Missing, or no certificate: said before anything is missed."""
    papers.client_key.chmod(0o600)
    (tmp_path / "nonsense").write_text("nonsense")
    healths = [
        found(mqtt={"host": "broker", **paths(papers), field: tmp_path / name})[0][1]
        for name in ("nonsense", "missing")
    ]

    assert ["problem", "problem"] == healths


@pytest.mark.parametrize(
    ("host", "health"),
    [("broker.example.org", "note"), ("10.0.0.5", "note"), ("127.0.0.1", "ok"), ("::1", "ok")],
)
def test_a_broker_elsewhere_without_tls_is_a_note(host: str, health: str) -> None:
    """On this machine itself there is nobody on the way."""
    assert [health] == [each for _, each, _ in found(mqtt={"host": host, "tls": False})]


def test_a_webhook_in_the_clear_is_a_note() -> None:
    """By its id: its address is a secret."""
    hook = {"id": "chat", "url": "http://10.0.0.5/token", "secret": "of sixteen signs", "allow_private": True}
    ((subject, health, words),) = found(webhooks=[hook])

    assert ("webhook chat", "note") == (subject, health)
    assert "10.0.0.5" not in words
