"""Pictures for viewers: made once for all who look, none when nobody does, with names asked for once."""

import threading
import time

from live_cinema import PATIENCE_S, Cinema, nobody, until

from web.views import Views

# ------------------------------------------------------------ once for all


def test_each_picture_is_made_once_however_many_look(cinema: Cinema, views: Views) -> None:
    """Twelve viewers cost what one does, and each gets the very same bytes."""
    view, got = views.view("entrance", "device", named=False), []
    lock, over = threading.Lock(), threading.Event()

    def look() -> None:
        number = 0
        with view.watching(nobody):
            while not over.is_set():
                shown = view.wait(number, 1.0)
                if shown is not None:
                    number = shown.number
                    with lock:
                        got.append((number, shown.jpeg))

    threads = [threading.Thread(target=look) for _ in range(12)]
    for thread in threads:
        thread.start()
    until(lambda: len(got) > 60)
    over.set()
    for thread in threads:
        thread.join()

    assert len({number for number, _ in got}) == len(set(got))
    assert len(cinema.asked) <= max(number for number, _ in got) + 2


def test_who_looks_slowly_misses_pictures_and_holds_up_nobody(cinema: Cinema, views: Views) -> None:
    """After a pause comes the newest, not the next."""
    del cinema
    view = views.view("entrance", "device", named=False)
    with view.watching(nobody):
        first = view.wait(0, PATIENCE_S)
        assert first is not None
        time.sleep(0.8)
        second = view.wait(first.number, PATIENCE_S)
        newest = view.wait(0, PATIENCE_S)

    assert second is not None
    assert second.number > first.number + 2
    assert newest is not None
    assert newest.number - second.number <= 1


def test_nothing_is_asked_for_when_nobody_looks(cinema: Cinema, views: Views) -> None:
    """Neither before the first nor some seconds after the last: no JPEG, no lease of the loop's frames."""
    view = views.view("entrance", "device", named=False)
    before = (len(cinema.asked), cinema.shared, view.alive)
    with view.watching(nobody):
        view.wait(0, PATIENCE_S)
    until(lambda: not view.alive)
    asked, shared = len(cinema.asked), cinema.shared
    time.sleep(0.5)

    assert (0, 0, False) == before
    assert (asked, shared) == (len(cinema.asked), cinema.shared)


def test_who_comes_back_is_not_shown_what_was(cinema: Cinema, views: Views) -> None:
    """The last picture of an earlier look is not the first of the next."""
    view = views.view("entrance", "device", named=False)
    with view.watching(nobody):
        first = view.wait(0, PATIENCE_S)
    until(lambda: not view.alive)
    asked = len(cinema.asked)
    with view.watching(nobody):
        again = view.wait(0, PATIENCE_S)

    assert first is not None
    assert again is not None
    assert again.number > first.number
    assert len(cinema.asked) > asked


def test_a_name_is_asked_for_once_and_not_for_every_picture(cinema: Cinema, views: Views) -> None:
    """By who looks; somebody whose name is not known is not asked after with each frame either."""
    asked: list[list[str]] = []

    def names(wanted: list[str]) -> dict[str, str]:
        asked.append(wanted)
        return {}

    view = views.view("entrance", "project", named=True)
    with view.watching(names):
        until(lambda: len(cinema.asked) > 8)

    assert [["s1"]] == asked


def test_names_learned_for_an_admin_are_not_shown_to_a_viewer(cinema: Cinema, views: Views) -> None:
    """Both look at once: each sees the names that the desk tells them, in the picture and beside it."""
    all_of_them = views.view("entrance", "project", named=True, everybody=True)
    some = views.view("entrance", "project", named=True, everybody=False)
    with all_of_them.watching(lambda wanted: dict.fromkeys(wanted, "Ann")), some.watching(lambda _: {}):
        until(lambda: len(cinema.asked) > 8)
        shown = [each.wait(0, PATIENCE_S) for each in (all_of_them, some)]

    assert [True, False] == ["Ann" in str(each and each.told) for each in shown]


def test_the_first_picture_of_somebody_has_their_name_already(cinema: Cinema, views: Views) -> None:
    """A single picture, too, as the first page fetches it: nobody is shown as "person" who has a name."""
    view = views.view("entrance", "project", named=True)
    with view.watching(lambda wanted: dict.fromkeys(wanted, "Ann")):
        shown = view.wait(0, PATIENCE_S)
        asked = [each.labels for each in cinema.asked[:2]]

    assert shown is not None
    assert [{}, {"s1": "Ann"}] == asked
    assert "Ann" in [face["name"] for face in shown.told["faces"]]


def test_who_comes_in_between_two_looks_has_their_name(cinema: Cinema, views: Views) -> None:
    """A view lingers for who loads the page anew; somebody who came in meanwhile is no nameless person."""
    view = views.view("entrance", "project", named=True)
    faces, cinema.note["faces"] = cinema.note["faces"], []
    with view.watching(lambda wanted: dict.fromkeys(wanted, "Ann")):
        view.wait(0, PATIENCE_S)
    cinema.note["faces"] = faces
    # Asked a second time with the name, it has shown what the first answer was.
    until(lambda: sum("Ann" in each.labels.values() for each in cinema.asked) > 1 or not view.alive)
    with view.watching(lambda wanted: dict.fromkeys(wanted, "Ann")):
        shown = view.wait(0, PATIENCE_S)

    assert shown is not None
    assert "Ann" in [face["name"] for face in shown.told["faces"]]
