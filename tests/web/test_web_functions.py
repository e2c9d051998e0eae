"""The pages of hosted functions: what they show, who may, what is asked of the process that hosts them."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from hosting_at_hand import HostedFunctions, hosting_at_hand
from web_site import Site, open_site

from appliance.errors import DeniedError
from appliance.permissions import Permission, Role
from appliance.services import Layout
from appliance.settings import Settings


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all of them."""
    layout = Layout(tmp_path_factory.mktemp("functions") / "state")
    layout.state.mkdir(mode=0o700)
    with open_site(layout, Settings()) as opened:
        yield opened


@pytest.fixture
def hosted(site: Site) -> Iterator[HostedFunctions]:
    """Two functions."""
    with hosting_at_hand(site.services.layout) as found:
        yield found


@pytest.fixture
def admin(site: Site) -> Any:
    """Who may."""
    return site.client(Role.ADMIN)


def zipped(**files: str) -> bytes:
    """A package."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return file.getvalue()


def test_without_the_process_the_page_says_so(admin: Any) -> None:
    """And offers nothing that could not be done."""
    shown = admin.get("/functions").text

    assert "does not run just now" in shown
    assert "Deploy a function" not in shown


def test_while_the_process_is_away_no_function_counts_as_removed(admin: Any) -> None:
    """A function's page and its script are told that the process does not run, and to come again soon."""
    page, told, pictures = (
        admin.get(f"/functions/dogs{part}", headers={"Accept": accept})
        for part, accept in (("", "text/html"), ("/now", "application/json"), ("/project.mjpeg", "image/*"))
    )

    assert [503] * 3 == [each.status_code for each in (page, told, pictures)]
    assert "The part that hosts functions does not run just now." in page.text
    assert "no such page" not in page.text
    assert ("functions_away", "The part that hosts functions does not run just now.") == (
        told.json["error"]["code"],
        told.json["error"]["message"],
    )
    assert ["3", "3"] == [each.headers["Retry-After"] for each in (page, told)]


def test_what_was_filled_in_outlives_the_process(admin: Any) -> None:
    """Deploying while it is away shows the form again as it was sent, and says what to do about the file."""
    before = admin.get("/functions/new").text
    sent = {
        "name": "mine",
        "runtime": "python2",
        "handler": "door.handler",
        "camera": "yard",
        "subscriptions": "office/bell",
        "network": "minio.lan:9000",
    }
    answer = admin.post("/functions/new", {**sent, "file": (io.BytesIO(zipped(door="")), "door.zip")})

    assert "does not run just now" in before
    assert 503 == answer.status_code
    assert "The part that hosts functions did not answer" in answer.text
    assert "Choose the file again." in answer.text
    assert [True] * 4 == [
        f'value="{sent[name]}"' in answer.text for name in ("name", "handler", "camera")
    ] + ['<option value="python2" selected>' in answer.text]
    assert [True] * 2 == [f">{sent[name]}</textarea>" in answer.text for name in ("subscriptions", "network")]


def test_nothing_a_function_says_turns_or_hides_text(admin: Any, hosted: HostedFunctions) -> None:
    """Escapes stand for what does, in messages, models and changed lines; ends of lines stay."""
    hosted.said = ["one\x1b[31m\x07\u202etwo\u2066", "{\n}"]
    hosted.diff = "-a\n+b\u202ec\n"
    hosted.functions["dogs"] = hosted.functions["dogs"].model_copy(
        update={"loaded": ("x\u202ey",), "missing": {"p\u2067q": "no\x1b"}}
    )
    shown = admin.get("/functions/dogs").text
    told = admin.get("/functions/dogs/now").json

    assert [] == sorted(set("\x1b\x07\u202e\u2066\u2067") & set(shown))
    assert "<code>one\\x1b[31m\\x07\\u202etwo\\u2066</code>" in shown
    assert "-a\n+b\\u202ec\n" in shown
    assert ["one\\x1b[31m\\x07\\u202etwo\\u2066", "{\n}"] == [each["payload"] for each in told["messages"]]
    assert (["x\\u202ey"], {"p\\u2067q": "no\\x1b"}) == (
        told["function"]["loaded"],
        told["function"]["missing"],
    )


def test_each_function_stands_there_with_what_is_wrong(admin: Any, hosted: HostedFunctions) -> None:
    """How it is in a word, its fault in a sentence, and that all are contained."""
    shown = admin.get("/functions").text

    assert [True] * 2 == [name in shown for name in hosted.functions]
    assert "name &#39;bird&#39; is not defined" in shown
    assert "Functions are contained" in shown


def test_a_functions_page_has_all_of_it(admin: Any, hosted: HostedFunctions) -> None:
    """What it publishes, what was changed of it, what it printed; nothing of that is a part of the page."""
    shown = admin.get("/functions/dogs").text
    broken = admin.get("/functions/birds").text

    assert "{&#34;dog&#34;: 0.9996}" in shown
    assert "+print(&#39;dog&#39;)" in shown
    assert "&lt;b&gt;hello&lt;/b&gt;" in shown
    assert "<b>hello</b>" not in shown
    assert "No model bird_classification_resnet-18" in broken
    assert "May reach s3.amazonaws.com:443" in broken
    assert 404 == admin.get("/functions/nothing").status_code


def test_a_stream_that_is_none_is_a_warning(admin: Any, hosted: HostedFunctions) -> None:
    """What lies in its place, in words; nothing is said while all is well."""
    before = admin.get("/functions/dogs").text
    trouble = {"stream_trouble": "results.mjpeg is a folder, not a pipe"}
    hosted.functions["dogs"] = hosted.functions["dogs"].model_copy(update=trouble)
    after = admin.get("/functions/dogs").text

    assert "data-stream hidden" in before
    assert "data-stream hidden" not in after
    assert "results.mjpeg is a folder, not a pipe" in after


def test_why_there_are_no_frames_is_a_warning(admin: Any, hosted: HostedFunctions) -> None:
    """In the camera's own words, which are text; nothing is said while frames come."""
    before = admin.get("/functions/dogs").text
    trouble = {"trouble": "there is no camera 'yard' <here>"}
    hosted.functions["dogs"] = hosted.functions["dogs"].model_copy(update=trouble)
    after = admin.get("/functions/dogs").text

    assert "data-frameless hidden" in before
    assert "data-frameless hidden" not in after
    assert "there is no camera &#39;yard&#39; &lt;here&gt;" in after
    assert trouble["trouble"] == admin.get("/functions/dogs/now").json["function"]["trouble"]


def test_what_is_new_is_told_to_the_page(admin: Any, hosted: HostedFunctions) -> None:
    """Only messages after those that are known, and the number of the newest."""
    told = admin.get("/functions/dogs/now?after=2").json
    strange = admin.get("/functions/dogs/now?after=x").json

    assert ['{"dog": 0.9996}'] == [each["payload"] for each in told["messages"]]
    assert (3, "Running", "good") == (told["newest"], told["phase"], told["kind"])
    assert 3 == len(strange["messages"])
    assert hosted.functions["dogs"].frames == told["function"]["frames"]


def test_a_zip_is_deployed_as_it_came(admin: Any, hosted: HostedFunctions) -> None:
    """With what was filled in; its name is its file's, made fit."""
    package = zipped(lambda_function="print 'dog'")
    sent = {"file": (io.BytesIO(package), "my dog (1).zip"), "network": "minio.lan:9000\ns3.amazonaws.com"}
    sent["variables"] = "BUCKET = faces\r\n\r\n KEY =a=b "
    answer = admin.post("/functions/new", sent)
    message, blob = hosted.deployed[0]

    assert (303, "/functions/my-dog-1") == (answer.status_code, answer.headers["Location"])
    assert package == blob
    assert ("my-dog-1", "my dog (1).zip", ("minio.lan:9000", "s3.amazonaws.com"), False) == (
        message.name,
        message.file,
        message.network,
        message.accept_uncontained,
    )
    assert {"BUCKET": "faces", "KEY": "a=b"} == message.variables


def test_a_variable_without_a_value_is_said_at_its_field(admin: Any, hosted: HostedFunctions) -> None:
    """Nothing is deployed, and what was written stays."""
    sent = {"file": (io.BytesIO(zipped(a="")), "a.zip"), "variables": "BUCKET"}
    answer = admin.post("/functions/new", sent)
    twice = {"file": (io.BytesIO(zipped(a="")), "a.zip"), "variables": "B=1\nB=2"}

    assert "One of them stands there twice." in admin.post("/functions/new", twice).text
    assert (422, []) == (answer.status_code, hosted.deployed)
    assert "Write NAME=value, one a line." in answer.text
    assert ">BUCKET</textarea>" in answer.text


@pytest.mark.usefixtures("hosted")
def test_variables_are_named_and_their_values_kept(admin: Any) -> None:
    """The page of a function says which it has."""
    assert '<span class="mono small">BUCKET</span>' in admin.get("/functions/birds").text


def test_what_cannot_be_taken_is_said_at_the_file(admin: Any, hosted: HostedFunctions) -> None:
    """And what was filled in stays."""
    sent = {"file": (io.BytesIO(b"noise"), "noise.zip"), "name": "mine"}
    answer = admin.post("/functions/new", sent)
    empty = admin.post("/functions/new", {"name": "mine"})
    odd = admin.post("/functions/new", {"file": (io.BytesIO(b"PK"), "a.zip"), "name": "../etc"})

    assert [422] * 3 == [each.status_code for each in (answer, empty, odd)]
    assert "The file is no zip" in answer.text
    assert 'value="mine"' in answer.text
    assert "hoose a zip or a .py file" in empty.text
    assert [] == hosted.deployed


def test_where_nothing_contains_them_that_is_no_pages_to_accept(admin: Any, hosted: HostedFunctions) -> None:
    """It is said in words what it means, and where one who is signed in on the machine may accept it."""
    hosted.contained = False
    shown = admin.get("/functions/new").text
    hosted.contained = True

    assert "They may read what this account may read" in shown
    assert "appliance deeplens deploy --accept-uncontained" in shown
    assert "--accept-uncontained" not in admin.get("/functions/new").text


def test_one_is_stopped_started_and_removed(admin: Any, hosted: HostedFunctions) -> None:
    """Each by a button that asks, the last one twice."""
    stopped = (admin.post("/functions/dogs/stop").status_code, hosted.functions["dogs"].phase)
    offers = admin.get("/functions/dogs").text
    started = (admin.post("/functions/dogs/start").status_code, hosted.functions["dogs"].phase)
    removed = admin.post("/functions/dogs/remove")

    assert ((303, "stopped"), (303, "running")) == (stopped, started)
    assert "/functions/dogs/start" in offers
    assert (303, "/functions") == (removed.status_code, removed.headers["Location"])
    assert ["birds"] == list(hosted.functions)


def test_a_project_stream_is_handed_on_as_it_was_written(admin: Any, hosted: HostedFunctions) -> None:
    """Part after part, each a JPEG of the function's own."""
    answer = admin.get("/functions/dogs/project.mjpeg", buffered=False)
    parts = [next(answer.response) for _ in range(2)]
    answer.close()

    assert answer.content_type.startswith("multipart/x-mixed-replace")
    assert hosted.picture in parts[1]
    assert 404 == admin.get("/functions/nothing/project.mjpeg").status_code


def test_a_picture_cannot_hold_a_part_of_another_kind(admin: Any, hosted: HostedFunctions) -> None:
    """What parts them is another in each answer: bytes that hold an earlier one stay within their picture."""
    known = _read(admin)[0]
    evil = f"\r\n--{known}\r\nContent-Type: text/html\r\n\r\n<script>x()</script>\r\n--{known}\r\n".encode()
    hosted.picture = (
        hosted.picture[:2] + b"\xff\xfe" + (len(evil) + 2).to_bytes(2) + evil + hosted.picture[2:]
    )
    boundary, begun, part = _read(admin)

    assert 3 == len({known, boundary, _read(admin)[0]})
    assert f"--{boundary}\r\n".encode() == begun
    assert [part.removesuffix(f"--{boundary}\r\n".encode()), b"\r\n"] == part.split(f"--{boundary}".encode())
    assert hosted.picture in part


def _read(admin: Any) -> tuple[str, bytes, bytes]:
    """The boundary of a project stream, its beginning and its first part."""
    answer = admin.get("/functions/dogs/project.mjpeg", buffered=False)
    begun, part = (next(answer.response) for _ in range(2))
    answer.close()
    return answer.mimetype_params["boundary"], begun, part


def test_a_program_deploys_and_removes_nothing(site: Site, hosted: HostedFunctions) -> None:
    """A token may look and stop; what runs here is for somebody who is signed in."""
    token = site.ask("tokens.create", label="t", scopes=[Permission.FUNCTIONS.value])["secret"]
    listed = site.desk.ask("functions.list", {}, credential=token).result
    with pytest.raises(DeniedError):
        site.desk.ask("functions.deploy", {"name": "x", "file": "x.zip"}, credential=token, blob=b"PK")
    with pytest.raises(DeniedError):
        site.desk.ask("functions.remove", {"name": "dogs"}, credential=token)

    assert 2 == len(listed["functions"])
    assert "dogs" in hosted.functions
    assert [] == hosted.deployed
