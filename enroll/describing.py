"""A person, their consents and references as JSON with stable names, for commands and pages alike."""

from datetime import datetime
from typing import Any

from appliance.store import KeptConsent, Reference, Subject


def person_json(subject: Subject) -> dict[str, Any]:
    """A person; name and initials are None where they are damaged."""
    return {
        "id": subject.id,
        "name": subject.name,
        "initials": subject.initials,
        "alias": subject.alias,
        "state": subject.state.value,
        "references": subject.references,
        "strictness": subject.strictness,
        "purposes": list(subject.purposes),
        "created_at": time_json(subject.created_at),
    }


def consent_json(consent: KeptConsent) -> dict[str, Any]:
    """A consent; `given_by` is None where it cannot be opened."""
    return {
        "id": consent.id,
        "purposes": list(consent.purposes),
        "text_version": consent.text_version,
        "given_by": consent.given_by,
        "given_at": time_json(consent.given_at),
        "withdrawn_at": time_json(consent.withdrawn_at),
    }


def reference_json(reference: Reference) -> dict[str, Any]:
    """A reference; its quality is 0 to 100."""
    return {
        "id": reference.id,
        "created_at": time_json(reference.created_at),
        "quality": round(reference.quality, 1),
        "models": list(reference.models),
    }


def time_json(at: datetime | None) -> str | None:
    """ISO 8601 with its offset."""
    return None if at is None else at.isoformat()
