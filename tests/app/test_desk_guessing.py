"""Passwords and codes are not guessed: who tries is slowed down, and who is right is not."""

import pytest
from desk_box import PASSWORD, WRONG, DeskBox, logged

from appliance.app.desk.throttle import FREE
from appliance.clock import ManualClock
from appliance.errors import FormError, NotSignedInError, ThrottledError

OTHER = "four other words to know"


def test_guessing_is_slowed_down_by_name(box: DeskBox, clock: ManualClock) -> None:
    """After five failures, from wherever; the right password waits as well, and then gets in."""
    box.first_admin()
    for number in range(FREE + 1):
        with pytest.raises(NotSignedInError):
            box.ask("session.open", name="ann", password=WRONG, client=f"198.51.100.{number}")
    with pytest.raises(ThrottledError) as caught:
        box.ask("session.open", name=" ANN ", password=PASSWORD, client="203.0.113.9")
    clock.advance(caught.value.wait_s)

    assert 0 < caught.value.wait_s <= 30
    assert box.ask("session.open", name="ann", password=PASSWORD)["secret"]
    assert 1 == [kind for kind, _ in logged(box)].count("sign_in_throttled")


def test_outsiders_do_not_lock_a_known_name_out(box: DeskBox, clock: ManualClock) -> None:
    """However many addresses guess at it, without pause: where it was signed in lately, it is taken again.

    From an address that is new to the name the guesses stand in the way, of all of them together.
    """
    box.first_admin()
    box.ask("session.open", name="ann", password=PASSWORD, client="203.0.113.9")
    taken, tried = [], 0
    for _ in range(30):
        for number in range(12):
            with pytest.raises((NotSignedInError, ThrottledError)) as caught:
                box.ask("session.open", name="ann", password=WRONG, client=f"198.51.100.{number}")
            tried += isinstance(caught.value, NotSignedInError)
        taken.append(box.ask("session.open", name="Ann", password=PASSWORD, client="203.0.113.9"))
        clock.advance(1.0)

    assert [True] * 30 == [bool(each["secret"]) for each in taken]
    assert tried < 12 * FREE


def test_a_familiar_address_is_slowed_down_by_its_own_failures(box: DeskBox) -> None:
    """Whoever sits beside somebody guesses no faster for it, even where others share the address."""
    box.first_admin()
    box.ask("session.open", name="ann", password=PASSWORD, client="203.0.113.9")
    said = []
    for _ in range(FREE + 2):
        with pytest.raises((NotSignedInError, ThrottledError)) as caught:
            box.ask("session.open", name="ann", password=WRONG, client="203.0.113.9")
        said.append(type(caught.value))

    assert [NotSignedInError] * (FREE + 1) + [ThrottledError] == said


def test_a_password_chosen_with_a_link_makes_its_address_familiar(box: DeskBox) -> None:
    """A link is as good as a password: whoever used it is not held up by others' guesses afterwards."""
    admin = box.first_admin()
    code = box.ask("operators.add", admin, name="ben", role="viewer")["code"]
    box.ask("password.redeem", code=code, password=PASSWORD, client="203.0.113.9")
    for number in range(FREE + 1):
        with pytest.raises(NotSignedInError):
            box.ask("session.open", name="ben", password=WRONG, client=f"198.51.100.{number}")

    with pytest.raises(ThrottledError):
        box.ask("session.open", name="ben", password=PASSWORD, client="192.0.2.1")
    assert box.ask("session.open", name="ben", password=PASSWORD, client="203.0.113.9")["secret"]


def test_guesses_from_outside_do_not_stand_in_the_way_of_another_password(box: DeskBox) -> None:
    """Whoever is signed in changes theirs meanwhile."""
    ann = box.first_admin()
    for number in range(FREE + 1):
        with pytest.raises(NotSignedInError):
            box.ask("session.open", name="ann", password=WRONG, client=f"198.51.100.{number}")
    box.ask("password.change", ann, old=PASSWORD, new=OTHER)

    assert "password_changed" == logged(box)[-1][0]


def test_guessing_is_slowed_down_by_address(box: DeskBox) -> None:
    """Whatever names are tried from there; somebody elsewhere is not held up."""
    box.first_admin()
    for number in range(FREE + 1):
        with pytest.raises(NotSignedInError):
            box.ask("session.open", name=f"name{number}", password=WRONG, client="198.51.100.7")
    with pytest.raises(ThrottledError):
        box.ask("session.open", name="ann", password=PASSWORD, client="198.51.100.7")

    assert box.ask("session.open", name="ann", password=PASSWORD, client="203.0.113.9")["secret"]
    (event,) = [each.event for each in box.services.store.events() if each.type == "sign_in_throttled"]
    assert "198.51.100" not in str(event)


@pytest.mark.parametrize("operation", ["screens.pair", "password.redeem", "first_run.create_admin"])
def test_guessing_codes_is_slowed_down(box: DeskBox, operation: str) -> None:
    """From one address, by all of them together."""
    rest = {
        "screens.pair": {},
        "password.redeem": {"password": PASSWORD},
        "first_run.create_admin": {"name": "eve", "password": PASSWORD},
    }[operation]
    for number in range(FREE + 1):
        with pytest.raises(NotSignedInError):
            box.ask(operation, code=f"{number:08}", client="198.51.100.7", **rest)
    with pytest.raises(ThrottledError):
        box.ask("screens.pair", code="12345678", client="198.51.100.7")

    assert ["sign_in_throttled"] == [kind for kind, _ in logged(box)]


def test_who_gets_it_right_is_not_counted(box: DeskBox) -> None:
    """A whole office behind one address may sign in, and pair its screens."""
    admin = box.first_admin()
    for _ in range(3 * FREE):
        box.ask("session.open", name="ann", password=PASSWORD, client="198.51.100.7")
        box.ask(
            "screens.pair",
            code=box.ask("screens.begin_pairing", admin, label="TV")["code"],
            client="198.51.100.7",
        )

    assert "sign_in_throttled" not in [kind for kind, _ in logged(box)]


def test_guessing_the_current_password_is_slowed_down(box: DeskBox) -> None:
    """Whoever sits down at an open browser has few tries."""
    ann = box.first_admin()
    for _ in range(FREE + 1):
        with pytest.raises(FormError):
            box.ask("password.change", ann, old=WRONG, new=OTHER)
    with pytest.raises(ThrottledError):
        box.ask("password.change", ann, old=PASSWORD, new=OTHER)
