"""Enrolling in a real browser: files, several faces, a webcam, the door's camera, the keyboard alone."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import people_pages
import pytest
from browser import ARGUMENTS, CHROMIUM, open_page
from people_pages import ASTRONAUT, BIDEN, accessible, beside, finish, give, people, settled, to_pictures
from playwright.sync_api import Browser, Page, expect
from portrait_clip import ENROL, OTHER_DAY, webcam_picture, write_clip
from running_web import Running

pytestmark = [pytest.mark.debian(reason="chromium"), pytest.mark.slow]

running = pytest.fixture(scope="module")(people_pages.running)
box = pytest.fixture(people_pages.box)
page = pytest.fixture(people_pages.page)
WEBCAM = re.compile("this device")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Obama before a webcam: in the dark, blurred, straight ahead, turned to his left."""
    return write_clip(
        tmp_path_factory.mktemp("clip") / "webcam.mjpeg",
        [
            (webcam_picture(ENROL, light=0.2), 36),
            (webcam_picture(ENROL, blur=7), 36),
            (webcam_picture(ENROL), 100),
            (webcam_picture(OTHER_DAY), 100),
        ],
    )


@pytest.fixture(scope="module")
def seeing_browser(browser: Browser, clip: Path) -> Iterator[Browser]:
    """Another Chromium, with that webcam."""
    fake = (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={clip}",
    )
    opened = browser.browser_type.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *fake])
    yield opened
    opened.close()


@pytest.fixture
def webcam(seeing_browser: Browser, box: Running) -> Iterator[Page]:
    """Likewise, with the webcam."""
    with open_page(seeing_browser, box.url, secret=box.secret()) as (opened, _):
        yield opened


def test_somebody_is_enrolled_by_upload(page: Page, box: Running) -> None:
    """From an empty box to a person: name, yes, two pictures at once, what is wrong with a third."""
    page.goto("/people")
    accessible(page, "people-empty")
    page.get_by_role("link", name="Enrol the first person").click()
    accessible(page, "enrol-who")
    page.get_by_label("Name", exact=True).fill("Barack Obama")
    page.get_by_role("textbox", name="Alias").fill("President")
    page.get_by_role("button", name="Continue").click()
    accessible(page, "enrol-consent")
    page.get_by_label("Have a theme song played").check()
    page.get_by_label("How did they agree?").fill("Signed form")
    page.get_by_role("button", name="They agree").click()
    accessible(page, "enrol-pictures")
    give(page, ENROL, OTHER_DAY, Path(__file__))
    verdicts = page.locator(".tile").evaluate_all("tiles => tiles.map((each) => each.dataset.state)")
    accessible(page, "enrol-tiles")
    refused = page.locator(".tile.refused").inner_text()
    finish(page, "Enrol Barack Obama")
    accessible(page, "enrol-done")
    promise = page.locator("[data-promise]").inner_text()
    page.get_by_role("link", name="Their page").click()
    accessible(page, "person")
    (who,) = people(box)

    assert ["accepted", "accepted", "refused"] == sorted(verdicts)
    assert "not a picture" in refused
    assert "1 in 1,000 strangers would pass" in promise
    assert ("Barack Obama", "BO", "President", 2) == (who.name, who.initials, who.alias, who.references)
    assert ("greet", "identify", "song") == who.purposes


def test_the_face_that_is_clicked_is_the_one(page: Page, box: Running) -> None:
    """Three people in a picture: each is shown where they are; whose face is clicked is enrolled."""
    to_pictures(page, "Barack Obama")
    give(page, beside(ASTRONAUT, ENROL, BIDEN))
    expect(page.get_by_role("button", name="Face ")).to_have_count(3)
    commit = page.get_by_role("button", name="Enrol Barack Obama")
    expect(commit).to_be_disabled()
    accessible(page, "enrol-several")
    box_of_face = page.get_by_role("button", name="Face 2, 2nd from the left").bounding_box()
    picture = page.locator(".tile-shot").bounding_box()
    page.get_by_role("button", name="Face 2, 2nd from the left").click()
    expect(page.get_by_text("Face 2 is meant.")).to_be_visible()
    finish(page, "Enrol Barack Obama")
    # Who was meant is told by another photograph of him: it is taken for more of the same person.
    page.get_by_role("link", name="Their page").click()
    page.get_by_role("link", name="Add pictures").click()
    expect(page.get_by_role("heading", name="Pictures of Barack Obama", exact=True)).to_be_focused()
    give(page, OTHER_DAY)

    assert box_of_face is not None
    assert picture is not None
    middle = (box_of_face["x"] + box_of_face["width"] / 2 - picture["x"]) / picture["width"]
    assert abs(middle - 0.62) < 0.03
    expect(page.locator(".tile.accepted")).to_have_count(1)
    assert 1 == len(people(box))


def test_a_face_is_chosen_with_the_keyboard(page: Page) -> None:
    """Each face is a button in the order from the left; after the choice the focus stays where it was."""
    to_pictures(page, "Eileen Collins")
    give(page, beside(ASTRONAUT, ENROL))
    page.locator("[data-files]").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('face-box')"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_text("Face 1 is meant.")).to_be_visible()

    expect(page.get_by_role("button", name="Face 1, leftmost")).to_be_focused()
    expect(page.get_by_role("button", name="Face 1, leftmost")).to_have_attribute("aria-pressed", "true")


def test_who_looks_like_somebody_is_asked_about(page: Page, box: Running) -> None:
    """By name; answered that it is the same person, the pictures are added, and nobody is enrolled twice."""
    to_pictures(page, "Barack Obama")
    give(page, ENROL)
    finish(page, "Enrol Barack Obama")
    to_pictures(page, "Barry")
    give(page, OTHER_DAY)
    expect(page.get_by_text("Is it Barack Obama?")).to_be_visible()
    expect(page.get_by_role("button", name="Enrol Barry")).to_be_disabled()
    accessible(page, "enrol-looks-like")
    page.get_by_role("button", name="It is Barack Obama").click()
    expect(page.locator(".tile.accepted")).to_have_count(1)
    finish(page, "Add to Barack Obama")

    assert [("Barack Obama", 2)] == [(each.name, each.references) for each in people(box)]


def test_a_namesake_is_asked_about(page: Page, box: Running) -> None:
    """Somebody else of the same name is enrolled only when that was said."""
    to_pictures(page, "Alex")
    give(page, ENROL)
    finish(page, "Enrol Alex")
    page.goto("/people/enrol")
    page.get_by_label("Name", exact=True).fill("Alex")
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("How did they agree?").fill("Signed form")
    page.get_by_role("button", name="They agree").click()
    expect(page.get_by_role("heading", name="Somebody of that name is enrolled")).to_be_visible()
    accessible(page, "enrol-namesake")
    page.get_by_role("button", name="It is somebody else").click()
    expect(page.get_by_role("heading", name="Pictures of Alex")).to_be_focused()
    give(page, ASTRONAUT)
    finish(page, "Enrol Alex")

    assert ["Alex", "Alex"] == [each.name for each in people(box)]


def test_the_webcam_takes_pictures_by_itself(webcam: Page, box: Running) -> None:
    """In the dark and blurred it says what to do and takes none; then one straight, one turned as asked."""
    to_pictures(webcam, "Barack Obama")
    glances: list[int] = []
    webcam.on("response", lambda answer: glances.append(answer.status) if "/look" in answer.url else None)
    webcam.get_by_role("button", name=WEBCAM).click()
    hint = webcam.locator("[data-hint]")
    heard: set[str] = set()
    for _ in range(450):
        heard.add(hint.inner_text())
        if webcam.locator(".tile.accepted").count() == 2:
            break
        webcam.wait_for_timeout(100)
    expect(webcam.locator("[data-pose][data-done]")).to_have_count(2)
    accessible(webcam, "enrol-webcam")
    webcam.get_by_role("button", name="Close the webcam").click()
    webcam.wait_for_timeout(500)
    asked = len(glances)
    webcam.wait_for_timeout(700)
    finish(webcam, "Enrol Barack Obama")
    (who,) = people(box)
    with box.context.services() as services:
        origins = {str((each.details or {})["origin"]) for each in services.store.references()}

    assert {"Too dark: face a window or a lamp", "Blurred: hold still, or wipe the lens"} <= heard
    assert (2, {"webcam"}) == (who.references, origins)
    assert {200} == set(glances)
    assert asked == len(glances)


GOOD = {"light": "good", "distance": "good", "sharp": True, "still": True}
ASKED = {"pose": "straight", "moved": True, "patient": False, "auto": True}
FACE = {"width": 0.28, "x": 0.5, "y": 0.47, "turned": "straight", "turn": 0.02, "reasons": []}


def seen(faces: int = 1, **face: object) -> dict[str, object]:
    """What the appliance saw."""
    return {"faces": faces, "face": {**FACE, **face} if faces else None}


LEFT = {"turned": "left", "turn": 0.2}
RIGHT = {"turned": "right", "turn": -0.2}


def test_the_guide_says_what_is_true(page: Page) -> None:
    """By what was seen of the face, before any guess; what it says is good is what is taken."""
    page.goto("/people/enrol")
    module = page.locator('script[src*="people-enrol"]').get_attribute("src") or ""
    cases: list[tuple[str, bool, dict[str, object], object, dict[str, object]]] = [
        ("good", True, {}, seen(), {}),
        ("nobody", False, {}, seen(0), {}),
        ("several", False, {}, seen(2), {}),
        ("far", False, {}, seen(width=0.1), {}),
        ("near", False, {"distance": "good"}, seen(width=0.6), {}),
        ("good", True, {"distance": "far"}, seen(), {}),
        ("aside", False, {}, seen(x=0.8), {}),
        ("dark", False, {"light": "dark"}, seen(), {}),
        ("bright", False, {}, seen(reasons=["HIGH_BRIGHTNESS"]), {}),
        ("blurred", False, {}, seen(reasons=["LOW_SHARPNESS"]), {}),
        ("moving", False, {"still": False}, seen(), {}),
        ("straight", False, {}, seen(**LEFT), {}),
        ("left", False, {}, seen(), {"pose": "left"}),
        ("left", False, {}, seen(**RIGHT), {"pose": "left"}),
        ("more_left", False, {}, seen(turn=0.1), {"pose": "left"}),
        ("good", True, {}, seen(**LEFT), {"pose": "left"}),
        ("back", False, {}, seen(turned="left", turn=0.5), {"pose": "left"}),
        ("good", True, {}, seen(**RIGHT), {"pose": "right"}),
        ("more_right", False, {}, seen(turn=-0.1), {"pose": "right"}),
        ("any", True, {}, seen(), {"pose": "left", "patient": True}),
        ("several", False, {}, seen(2), {"pose": "left", "patient": True}),
        ("nobody", False, {}, seen(0), {"patient": True}),
        ("left", False, {}, seen(**LEFT), {"pose": "left", "auto": False}),
        ("done", False, {}, seen(), {"pose": None}),
        # Nobody answered: by what was measured in the page.
        ("good", True, {}, None, {}),
        ("far", False, {"distance": "far"}, None, {}),
        ("left", False, {}, None, {"pose": "left", "moved": False}),
        ("good", True, {"distance": "far"}, None, {"patient": True}),
        ("unknown", True, {"distance": "unknown"}, None, {}),
    ]
    told = page.evaluate(
        """async ([path, cases]) => {
          const { WORDS, advice } = await import(path);
          const key = (words) => Object.keys(WORDS).find((each) => WORDS[each] === words);
          const told = cases.map(([near, seen, asked]) => advice(near, seen, asked));
          return told.map(({ words, good }) => [key(words), good]);
        }""",
        [
            module.replace("people-enrol", "people-guide").partition("?")[0],
            [({**GOOD, **near}, eyes, {**ASKED, **asked}) for _, _, near, eyes, asked in cases],
        ],
    )

    assert [[words, good] for words, good, *_ in cases] == told


def test_everything_goes_without_a_mouse(webcam: Page, box: Running) -> None:
    """Name, yes, webcam, picture, done: by Tab, Enter and Space alone."""
    webcam.goto("/people/enrol")
    expect(webcam.get_by_label("Name", exact=True)).to_be_focused()
    webcam.keyboard.type("Barack Obama")
    webcam.keyboard.press("Enter")
    expect(webcam.get_by_label("How did they agree?")).to_be_focused()
    webcam.keyboard.type("Signed form")
    webcam.keyboard.press("Enter")
    expect(webcam.get_by_role("heading", name="Pictures of Barack Obama")).to_be_focused()
    tab_to(webcam, WEBCAM)
    webcam.keyboard.press("Enter")
    expect(webcam.get_by_role("button", name="Take picture")).to_be_focused()
    tab_to(webcam, "Take it by itself", role="checkbox")
    webcam.keyboard.press("Space")
    expect(webcam.locator("[data-hint]")).to_have_text("Look straight into the camera", timeout=20_000)
    tab_to(webcam, "Take picture")
    webcam.keyboard.press("Space")
    expect(webcam.locator(".tile.accepted")).not_to_have_count(0)
    tab_to(webcam, "Enrol Barack Obama")
    webcam.keyboard.press("Enter")
    expect(webcam.locator('[data-step="done"] h2')).to_be_focused()

    assert ["Barack Obama"] == [each.name for each in people(box)]


def tab_to(page: Page, name: str | re.Pattern[str], role: Literal["button", "checkbox"] = "button") -> None:
    """Press Tab until this has the focus."""
    button = page.get_by_role(role, name=name)
    for _ in range(30):
        if button.evaluate("each => each === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {name}")


def test_the_door_camera_takes_a_picture(page: Page) -> None:
    """From the loop's own frames: it is shown at once, judged, and gone when it is left out."""
    to_pictures(page, "Ann")
    page.get_by_role("button", name="Take a picture").click()
    expect(page.locator(".tile img")).to_have_count(1)
    settled(page)
    size = page.locator(".tile img").evaluate("each => [each.naturalWidth, each.naturalHeight]")
    page.get_by_role("button", name="Leave out Door picture 1").click()
    expect(page.locator(".tile")).to_have_count(0)

    assert 0 < size[1] < size[0]
