"""A desk for tests: the real operations about people, and whom it takes for whom by a word."""

from collections.abc import Mapping
from typing import Any

from people_vectors import looks

from appliance.app.desk.operations import Answer, Desk
from appliance.errors import PhotoError
from appliance.permissions import GRANTED, Caller, Permission, Role
from appliance.picture_files import Embeds
from appliance.settings import RecognitionSettings
from appliance.store import Store
from appliance.values import Box, EmbeddedPhoto, PhotoFace
from appliance.wire.messages import FacesGlanced, GlancedFace
from enroll.consent import TEXT_VERSION
from enroll.desk.drafts import Drafts
from enroll.desk.enrolling import Enrolling
from enroll.desk.knowing import Knowledge
from enroll.desk.looking import Snapshots
from enroll.desk.people import People
from enroll.desk.pictures import Pictures
from enroll.desk.standing import Standing

CONSENT = {"purposes": ["identify", "greet"], "text_version": TEXT_VERSION, "given_by": "signed form"}
"""What somebody agreed to, as the browser says it."""

CALLERS: Mapping[str, Caller] = {
    "admin": Caller("operator", "a", Role.ADMIN, GRANTED[Role.ADMIN], "a", "session-1"),
    "admin again": Caller("operator", "a", Role.ADMIN, GRANTED[Role.ADMIN], "a", "session-2"),
    "viewer": Caller("operator", "v", Role.VIEWER, GRANTED[Role.VIEWER], "v", "session-3"),
    "screen": Caller("screen", "s", Role.SCREEN, GRANTED[Role.SCREEN]),
    "enrolling token": Caller("token", "t", Role.ADMIN, frozenset({Permission.ENROL}), "a"),
}
"""Who is who, by what they present."""


class Painted:
    """Embeds what the bytes say: directions of faces in degrees, from the left, or the word of a reason.

    A face `90!LOW_SHARPNESS` has that wrong with it. What follows a `#` tells two files apart.
    """

    def embed(self, content: bytes) -> EmbeddedPhoto:
        """The faces, each 90 pixels wide and 100 apart, in a picture of 1,000 by 500."""
        words = content.decode().partition("#")[0].split()
        if any(word.isalpha() for word in words):
            raise PhotoError("it cannot be used", reason=words[0].lower())
        return EmbeddedPhoto.of([_face(place, word) for place, word in enumerate(words)], size=(1000, 500))


class Mirror:
    """Sees at a glance what the bytes say: the turn of each face, from the largest; or that it is busy."""

    def glance(self, content: bytes) -> FacesGlanced:
        """Each face a third as wide as the picture of 480 by 360, in its middle."""
        words = content.decode().split()
        if words == ["busy"]:
            return FacesGlanced(busy=True)
        try:
            turns = [float(word) for word in words]
        except ValueError:
            raise PhotoError("the file is not a picture", reason="not_a_picture") from None
        face = GlancedFace(box=(160, 80, 160, 200), turn=turns[0]) if turns else None
        return FacesGlanced(width=480, height=360, faces=len(turns), largest=face)


def _face(place: int, word: str) -> PhotoFace:
    degrees, _, fault = word.partition("!")
    reasons = (fault,) if fault else ()
    return PhotoFace(Box(100 * place, 20, 90, 90), reasons, 80.0, looks(float(degrees)))


class Still:
    """A camera that has one picture.

    Args:
        picture: The file.
    """

    def __init__(self, picture: bytes) -> None:
        self._picture = picture

    def snapshot(self, camera: str) -> bytes:
        """The picture, whatever the camera."""
        return self._picture


class Asking:
    """Somebody who asks a desk.

    Args:
        desk: Which.
        credential: As whom.
    """

    def __init__(self, desk: Desk, credential: str = "admin") -> None:
        self._desk = desk
        self._credential = credential

    def __call__(self, operation: str, *, blob: bytes = b"", **arguments: Any) -> Any:
        """The result of an operation."""
        return self.answer(operation, blob=blob, **arguments).result

    def answer(self, operation: str, *, blob: bytes = b"", **arguments: Any) -> Answer:
        """Likewise, with what comes beside it."""
        return self._desk.ask(operation, arguments, credential=self._credential, blob=blob)

    def as_(self, credential: str) -> "Asking":
        """Somebody else at the same desk."""
        return Asking(self._desk, credential)


def desk_of(
    store: Store,
    *,
    models: Embeds | None = None,
    snapshots: Snapshots | None = None,
    drafts: Drafts | None = None,
) -> Asking:
    """An admin at a desk with everything about people."""
    knowledge = Knowledge(store, RecognitionSettings())
    drafts = drafts or Drafts(lambda: 0.0, lambda _, __: None)
    standing = Standing(store, knowledge, drafts)
    rooms = (
        People(store, knowledge),
        Enrolling(store, knowledge, drafts, standing),
        Pictures(standing, drafts, models or Painted(), snapshots or Still(b"0"), glances=Mirror()),
    )
    operations = [each for room in rooms for each in room.operations()]
    return Asking(Desk(CALLERS.get, operations))


def enrolled(ask: Asking, name: str, *pictures: str, **more: Any) -> str:
    """Enrol somebody from painted pictures; their id."""
    draft = ask("enrol.begin", name=name, consent=CONSENT, **more)["draft"]
    for picture in pictures:
        ask("enrol.judge", draft=draft, blob=picture.encode())
    return str(ask("enrol.commit", draft=draft)["person"]["id"])
