"""The API: every operation at an address or excepted for a reason; tokens alone; problems told as such."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from web_site import SITE, Browser, Site, open_site

from appliance.permissions import Permission, Role
from appliance.services import Layout
from appliance.store import Consent
from appliance.store.api_tokens import TOKEN_SCOPES
from web import cookies, guesses
from web.api.described import operations
from web.api.table import ENDPOINTS, EXCEPTIONS, PREFIX, Endpoint

BY_OPERATION = {each.operation: each for each in ENDPOINTS}
LOOKS_OUTSIDE = {"cameras.find", "system.examine"}
ASK_FOR_MORE = {"clips.at", "live.names", "moments.bars", "moments.hours"}
"""Reads that need to be told something besides: without it they are refused."""
"""Reads that ask the machine; they are tried for who may, not for what comes of it."""


class Program:
    """Something that calls with a token.

    Args:
        site: Where.
        secret: The token.
    """

    def __init__(self, site: Site, secret: str) -> None:
        self._client = site.app.test_client()
        self._headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def get(self, path: str, **more: Any) -> Any:
        """Read."""
        return self._client.get(PREFIX + path, base_url=SITE, headers=self._headers, **more)

    def post(self, path: str, **more: Any) -> Any:
        """Do."""
        headers = {**self._headers, **more.pop("headers", {})}
        return self._client.post(PREFIX + path, base_url=SITE, headers=headers, **more)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for what changes nothing, with somebody enrolled."""
    with open_site(Layout(Path(tmp_path_factory.mktemp("api")) / "state")) as site:
        for name in ("Ann Archer", "Ben Bauer", "Cem Celik"):
            consent = Consent(("identify",), "1", "paper")
            site.services.store.add_subject(name, consent=consent)
        yield site


def token(site: Site, *scopes: Permission) -> str:
    """A token's secret."""
    return str(site.ask("tokens.create", label="t", scopes=[each.value for each in scopes])["secret"])


@pytest.fixture(scope="module")
def programs(shared: Site) -> dict[str, Program]:
    """By scope, one that may that alone; and one that may everything but that."""
    made = {each.value: Program(shared, token(shared, each)) for each in TOKEN_SCOPES}
    for each in TOKEN_SCOPES:
        made[f"not {each.value}"] = Program(shared, token(shared, *(TOKEN_SCOPES - {each})))
    return made


def path_of(endpoint: Endpoint) -> str:
    """An address with made-up ids."""
    return endpoint.path.replace("{", "").replace("}", "")


def test_every_operation_is_at_an_address_or_excepted(shared: Site) -> None:
    """Whoever adds an operation decides where it is called, or says why nowhere."""
    assert set(operations()) == set(BY_OPERATION) | set(EXCEPTIONS)
    assert set() == set(BY_OPERATION) & set(EXCEPTIONS)
    assert len(ENDPOINTS) == len(BY_OPERATION)
    assert all(reason.endswith(".") for reason in EXCEPTIONS.values())


def test_no_address_needs_what_no_token_may() -> None:
    """Every operation in the table has a scope; those that have none are among the exceptions."""
    scopes = {operations()[each.operation].permission for each in ENDPOINTS}

    assert scopes <= {each.value for each in TOKEN_SCOPES}


def test_arguments_in_addresses_are_arguments() -> None:
    """A brace in a path is always something that the operation is told."""
    named = {
        each.operation: {part.partition("}")[0] for part in each.path.split("{")[1:]} for each in ENDPOINTS
    }

    assert [] == [name for name, parts in named.items() if not parts <= set(operations()[name].properties)]


def test_the_document_is_openapi(shared: Site) -> None:
    """3.1, valid, without a token; each address with its scope, arguments and refusals."""
    response = shared.client().get(f"{PREFIX}/openapi.json")
    document = response.json

    OpenAPIV31SpecValidator(document).validate()
    assert 200 == response.status_code
    assert {PREFIX + each.path for each in ENDPOINTS} == set(document["paths"])
    page = document["paths"][f"{PREFIX}/log"]["get"]
    assert [{"token": ["log"]}] == page["security"]
    assert {"before", "limit", "kinds"} <= {each["name"] for each in page["parameters"]}
    rename = document["paths"][f"{PREFIX}/people/{{person}}/rename"]["post"]
    body = rename["requestBody"]["content"]["application/json"]["schema"]
    assert ({"name", "initials"}, ["name"]) == (set(body["properties"]), body["required"])
    assert "#/components/responses/403" == rename["responses"]["403"]["$ref"]


@pytest.mark.parametrize(
    "endpoint", [each for each in ENDPOINTS if each.method == "GET"], ids=lambda each: each.operation
)
def test_every_read_with_and_without_its_scope(
    endpoint: Endpoint, shared: Site, programs: dict[str, Program]
) -> None:
    """With its scope alone a token gets through; with every other, none, or a cookie, it does not."""
    scope = operations()[endpoint.operation].permission
    refused = programs[f"not {scope}"].get(path_of(endpoint))
    nobody = Program(shared, "").get(path_of(endpoint))
    admin = shared.client(Role.ADMIN).get(PREFIX + path_of(endpoint))

    assert (403, "denied") == (refused.status_code, refused.json["code"])
    assert (401, "not_signed_in") == (nobody.status_code, nobody.json["code"])
    assert 401 == admin.status_code
    assert {"application/problem+json"} == {each.mimetype for each in (refused, nobody, admin)}
    if endpoint.operation not in LOOKS_OUTSIDE:
        query = {"timeout_s": "0"} if endpoint.operation == "feed.wait" else {}
        found = programs[scope].get(path_of(endpoint), query_string=query)
        assert found.status_code in {200, 204, 404, 422, 503}, found.text
        assert found.status_code in {200, 204} or "{" in endpoint.path or endpoint.operation in ASK_FOR_MORE


@pytest.mark.parametrize(
    "endpoint", [each for each in ENDPOINTS if each.method == "POST"], ids=lambda each: each.operation
)
def test_every_change_without_its_scope(
    endpoint: Endpoint, shared: Site, programs: dict[str, Program]
) -> None:
    """It is refused before its body is looked at; a cookie with its form token is nobody here."""
    scope = operations()[endpoint.operation].permission
    refused = programs[f"not {scope}"].post(path_of(endpoint), data=b"not json")
    admin = shared.client(Role.ADMIN).post(PREFIX + path_of(endpoint))
    unfit = programs[scope].post(path_of(endpoint), json={"no such argument": "hunter2"})

    assert 403 == refused.status_code
    assert 401 == admin.status_code
    assert unfit.status_code == (415 if endpoint.uploads else 422)
    assert "hunter2" not in unfit.text


def test_pages_lead_on(shared: Site, programs: dict[str, Program]) -> None:
    """By the field and by the header alike, until there is no more."""
    names, path = [], "/people?limit=2"
    for _ in range(5):
        response = programs["people"].get(path)
        names += [each["name"] for each in response.json["people"]]
        if response.json["next"] is None:
            break
        path = response.headers["Link"].partition(">")[0].removeprefix(f"<{PREFIX}")

    assert ["Ann Archer", "Ben Bauer", "Cem Celik"] == sorted(names)
    assert "Link" not in response.headers


def test_queries_are_what_their_arguments_are(programs: dict[str, Program]) -> None:
    """Numbers, switches and lists; what cannot be one is told by its name."""
    log = programs["log"]
    good = log.get("/log?limit=3&kinds=door&kinds=people&corrected=true&since=2026-01-01T00:00:00Z")
    told = [log.get(path) for path in ("/log?limit=few", "/log?corrected=perhaps", "/log?limit=1&limit=2")]
    unknown, beyond = log.get("/log?colour=red"), log.get("/log?limit=1000000")

    assert 200 == good.status_code
    assert [(422, ["limit"]), (422, ["corrected"]), (422, ["limit"])] == [
        (each.status_code, list(each.json["fields"])) for each in told
    ]
    assert (["colour"], ["limit"]) == (list(unknown.json["fields"]), list(beyond.json["fields"]))


def test_somebody_is_renamed_paused_and_removed(site: Site) -> None:
    """The same operations as on the pages, in the same log, under the token's id."""
    consent = Consent(("identify",), "1", "paper")
    ann = site.services.store.add_subject("Ann Archer", consent=consent)
    made = site.ask("tokens.create", label="t", scopes=["enrol", "people"])
    program = Program(site, made["secret"])
    renamed = program.post(f"/people/{ann.id}/rename", json={"name": "Ann Baker"})
    paused = program.post(f"/people/{ann.id}/pause")
    shown = program.get(f"/people/{ann.id}")
    twice = program.post(f"/people/{ann.id}/rename", json={"name": "X", "person": "other"})
    query = program.post(f"/people/{ann.id}/rename?name=X")
    removed = program.post(f"/people/{ann.id}/remove")
    gone = program.get(f"/people/{ann.id}")

    assert {200, 204} >= {renamed.status_code, paused.status_code, removed.status_code}
    assert ("Ann Baker", "paused") == (shown.json["name"], shown.json["state"])
    assert (422, 422, 404) == (twice.status_code, query.status_code, gone.status_code)
    logged = site.services.store.events(types=["subject_renamed", "subject_removed"])
    assert [made["token"]["id"]] * 2 == [each.event.by for each in logged if each.event]


def test_bodies_that_are_none_are_refused(programs: dict[str, Program]) -> None:
    """Another format, no JSON, no object, too much of it."""
    enrol = programs["enrol"]
    path = "/people/x1/rename"
    told = [
        enrol.post(path, data=b"name=x", content_type="application/x-www-form-urlencoded"),
        enrol.post(path, data=b"{", content_type="application/json"),
        enrol.post(path, data=b"[]", content_type="application/json"),
        enrol.post(path, data=b'{"name": "' + b"x" * 70_000 + b'"}', content_type="application/json"),
        enrol.post("/enrolments/x1/photos", data=b"x", content_type="text/html"),
        enrol.post("/enrolments/x1/photos", data={"wrong": "x"}, content_type="multipart/form-data"),
    ]

    assert [415, 400, 400, 413, 415, 422] == [each.status_code for each in told]
    assert {"application/problem+json"} == {each.mimetype for each in told}


def test_there_is_nothing_elsewhere(programs: dict[str, Program]) -> None:
    """Unknown addresses and methods are told apart, as problems too."""
    nothing, method = programs["people"].get("/nothing"), programs["people"].post("/people")

    assert (404, 405) == (nothing.status_code, method.status_code)
    assert "GET" in method.headers["Allow"]
    assert {"application/problem+json"} == {nothing.mimetype, method.mimetype}


def test_a_problem_says_what_and_what_to_do(shared: Site) -> None:
    """The fields of RFC 9457 and ours; its type leads to a place of the page for people."""
    response = Program(shared, "").get("/people")
    page = shared.client(Role.VIEWER).get("/api").text

    assert {"type", "title", "status", "detail", "code", "hint"} == set(response.json)
    assert "Bearer" == response.headers["WWW-Authenticate"]
    assert f'id="{response.json["type"].partition("#")[2]}"' in page


def test_the_desk_away_is_a_problem_too(site: Site) -> None:
    """With when to try again."""
    program = Program(site, token(site, Permission.PEOPLE))
    site.desk.away = True
    response = program.get("/people")

    assert (503, "3") == (response.status_code, response.headers["Retry-After"])
    assert "desk.sock" not in json.dumps(response.json)


def test_bad_tokens_are_slowed_down_and_good_ones_are_not(site: Site) -> None:
    """After twenty from an address its next ones have to wait, the desk unasked; who came before goes on."""
    good = Program(site, token(site, Permission.PEOPLE))
    good.get("/people")
    told = [Program(site, f"oat_{number:043d}").get("/people") for number in range(guesses.MOST + 1)]
    asked = len(site.desk.asked)
    later = Program(site, "oat_" + "z" * 43).get("/people")

    assert [401] * guesses.MOST + [429] == [each.status_code for each in told]
    assert (429, "too many tries") == (later.status_code, later.json["title"].lower())
    assert 0 < int(later.headers["Retry-After"]) <= guesses.WINDOW_S
    assert asked == len(site.desk.asked)
    assert 200 == good.get("/people").status_code


def test_a_slowed_address_is_forgiven_in_time() -> None:
    """A minute after the last of them; another address was never meant."""
    now = [0.0]
    guarded = guesses.Guesses(lambda: now[0])
    for _ in range(guesses.MOST):
        guarded.bad("2001:db8::1", "t")
    waits = []
    for client in ("2001:db8::2", "2001:db8:0:1::1"):
        try:
            guarded.admit(client, "t")
        except Exception as error:  # noqa: BLE001 - which one is what is looked at
            waits.append((client, type(error).__name__))
    now[0] = guesses.WINDOW_S + 1
    guarded.admit("2001:db8::2", "t")

    assert [("2001:db8::2", "ThrottledError")] == waits


def test_a_screen_s_cookie_and_a_screen_s_secret_are_no_token(shared: Site) -> None:
    """A screen may show what it shows and nothing else, however its secret is presented."""
    secret = shared.secrets[Role.SCREEN]
    browser = shared.client(Role.SCREEN)

    assert 401 == browser.get(f"{PREFIX}/people").status_code
    assert 403 == Program(shared, secret).get("/people").status_code
    assert browser.cookie(cookies.SCREEN) == secret


def test_the_page_for_people_lists_every_address(shared: Site) -> None:
    """With an example of each; for who is signed in."""
    text = shared.client(Role.VIEWER).get("/api").text

    assert [] == [each.path for each in ENDPOINTS if f"{PREFIX}{each.path}" not in text]
    assert 303 == shared.client().get("/api").status_code
    assert isinstance(shared.client(), Browser)
