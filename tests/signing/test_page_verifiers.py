"""The verifiers of docs/backend-signatures.md do what the vectors ask, over real requests."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agen_authz.core.signature import IDENTITY_HEADERS, SIGNATURE_HEADERS, compute_signature
from tests.examples import examples
from tests.signing.page import Backend, build_go_backend, build_node_backend, extract, running
from tests.signing.vectors import ACCEPTED, REFUSED, Vector, encode, load
from tests.stage.compile import vet_go

GOOD, BAD = load(ACCEPTED), load(REFUSED)
POST = GOOD[0]
BUILDERS: dict[str, Callable[[str, Path], list[str]]] = {"js": build_node_backend, "go": build_go_backend}
# What they leave out, and refuse: components of these kinds. What they do not ask for: `signing.components`.
LEFT_OUT = ("@scheme", "@target-uri", "@request-target", "@query-param")
SIGNED_HEADERS = (*IDENTITY_HEADERS, *SIGNATURE_HEADERS)
NOT_ASKED = {"configured header that is not covered"}


@pytest.mark.parametrize("language", BUILDERS)
def test_verifier_is_at_most_sixty_lines(language):
    assert len(extract(language).splitlines()) <= 60
    assert [line for line in extract(language).splitlines() if len(line) > 120] == []


@pytest.fixture(scope="module", params=BUILDERS)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    folder = tmp_path_factory.mktemp(request.param)
    with running(BUILDERS[request.param](extract(request.param), folder), folder / "backend.log") as started:
        yield started


@pytest.mark.services
def test_vet_finds_nothing_in_the_verifier_in_go(tmp_path):
    build_go_backend(extract("go"), tmp_path)
    vet_go(tmp_path)


@pytest.mark.services
def test_what_is_to_be_accepted_is_accepted(backend):
    asked = {vector.name: backend.ask(vector) for vector in GOOD}
    left_out = [one.name for one in GOOD if any(name.startswith(LEFT_OUT) for name in one.covered)]
    wanted = dict.fromkeys(asked, "accepted") | {name: asked[name] for name in left_out}
    assert asked == wanted and left_out == ["derived components"]
    assert {asked[name] for name in left_out} <= {"signature-input", "components"}


@pytest.mark.services
@pytest.mark.parametrize("vector", [one for one in BAD if one.name not in NOT_ASKED], ids=lambda vector: vector.name)
def test_what_is_to_be_refused_is_refused_by_its_check(backend, vector):
    assert backend.ask(vector) in vector.refused


def resign(vector: Vector, parameters: str) -> Vector:
    """Sign a vector's request again, with other text for its parameters."""
    covered = vector.parameters.partition(")")[0] + ")"
    text = vector.signed_text.removesuffix(vector.parameters) + covered + parameters
    mac = encode(compute_signature(text, vector.keys["crm-1"]))
    return vector.with_headers({"signature-input": f"agen={covered}{parameters}", "signature": f"agen=:{mac}:"})


GIVEN = POST.parameters.partition(")")[2]
CREATED = "created=1800000000"
INPUT, SIGNATURE = POST.header("signature-input"), POST.header("signature")
# What RFC 9421 allows, or a careless reader would take, and a strict one need not.
ODD = {
    "resigned as it was": (resign(POST, GIVEN), "accepted"),
    "no alg": (resign(POST, GIVEN.replace(';alg="hmac-sha256"', "")), "signature-input"),
    "another parameter": (resign(POST, f'{GIVEN};x="1"'), "signature-input"),
    "a parameter twice": (resign(POST, f'{GIVEN};tag="agen-authz"'), "signature-input"),
    "a time that is text": (resign(POST, GIVEN.replace(CREATED, 'created="1800000000"')), "signature-input"),
    "a time with a sign": (resign(POST, GIVEN.replace("created=", "created=-")), "signature-input"),
    "a time with a fraction": (resign(POST, GIVEN.replace(CREATED, f"{CREATED}.0")), "signature-input"),
    "a key by the name of a method": (resign(POST, GIVEN.replace("crm-1", "constructor")), "key"),
    "a key by the name of a prototype": (resign(POST, GIVEN.replace("crm-1", "__proto__")), "key"),
    "another signature beside": (
        POST.with_headers({"signature-input": f'{INPUT}, gw=("@method")', "signature": f"{SIGNATURE}, gw=:AAAA:"}),
        "signature-input",
    ),
    "another label beside in `signature`": (POST.with_headers({"signature": f"{SIGNATURE}, gw=:AAAA:"}), "signature"),
    "a signature of no bytes": (POST.with_headers({"signature": "agen=::"}), "signature"),
    "an empty signature": (POST.with_headers({"signature": ""}), "headers"),
    "text behind the list": (POST.with_headers({"signature-input": f"{INPUT} "}), "accepted"),
    "text before the list": (POST.with_headers({"signature-input": f"x, {INPUT}"}), "signature-input"),
    "an empty list of components": (POST.with_headers({"signature-input": f"agen=(){GIVEN}"}), "signature-input"),
    "a component with a parameter": (
        POST.with_headers({"signature-input": INPUT.replace('"agen-roles"', '"agen-roles";sf')}), "signature-input",
    ),
    "a digest beside": (
        POST.with_headers({"content-digest": f"{POST.header('content-digest')}, sha-512=:AAAA:"}), "signature",
    ),
}  # fmt: skip


@pytest.mark.services
@pytest.mark.parametrize("name", ODD)
def test_odd_requests_are_refused(backend, name):
    vector, expected = ODD[name]
    assert backend.ask(vector) in {expected, "signature"} - ({"signature"} if expected == "accepted" else set())


SOME = next(one for one in GOOD if one.name == "display strings")
# The twelve, and what says how they are signed; never a space, which is no part of a value at its ends.
PLACES = st.sampled_from(["method", "target", "body", *SIGNED_HEADERS])


@pytest.mark.services
@examples(3)
@given(place=PLACES, at=st.integers(min_value=0), byte=st.integers(min_value=0x21, max_value=0x7E))
def test_any_byte_that_was_replaced_is_noticed(backend, place, at, byte):
    told = {"method": SOME.method, "target": SOME.target, "body": SOME.body.decode("utf-8")}
    before = told.get(place) or SOME.header(place)
    assume(before)
    at %= len(before)
    after = before[:at] + chr(byte) + before[at + 1 :]
    assume(after != before)
    changed = SOME.with_headers({place: after}) if place not in told else replace(SOME, **_part(place, after))
    assert backend.ask(SOME) == "accepted"
    backend.tell(keys={name: secret.hex() for name, secret in SOME.keys.items()}, resource="crm", now=SOME.now)
    assert backend.send(changed) != "accepted"


def _part(place: str, text: str) -> dict[str, Any]:
    return {place: text.encode("utf-8") if place == "body" else text}


@pytest.mark.services
@pytest.mark.parametrize(
    ("now", "expected"),
    [(1799999995, "accepted"), (1799999994, "time"), (1800000064, "accepted"), (1800000065, "time")],
)
def test_clocks_may_be_five_seconds_apart(backend, now, expected):
    assert backend.ask(replace(POST, now=now)) == expected


@pytest.mark.services
def test_altered_request_uses_no_nonce_up(backend):
    assert backend.ask(replace(POST, body=b"{}")) == "content-digest"
    assert [backend.send(POST) for _ in range(2)] == ["accepted", "nonce"]
    backend.tell(now=POST.now + 30)
    assert backend.send(POST) == "nonce"
    backend.tell(now=POST.now + 90)
    assert backend.send(POST) == "time"


@pytest.mark.services
def test_nonces_of_two_keys_are_apart(backend):
    second = next(one for one in GOOD if one.name == "second key")
    nonce = re.compile('nonce="[0-9a-f]+"')
    other = resign(second, nonce.sub(nonce.findall(second.parameters)[0], GIVEN))
    assert backend.ask(second) == "accepted"
    assert [backend.send(other), backend.send(other)] == ["accepted", "nonce"]


# ---- each check has a vector that nothing else refuses ------------------------------------------------------

_CHECK = re.compile(r"""need\((?P<holds>.+), ['"](?P<check>[a-z-]+)['"]\)""")
# Without these there is nothing to verify with: what they refuse, the next check refuses.
LAST_RESORT = {"headers", "signature-input", "key"}
CHECKS = ("tag", "algorithm", "time", "components", "signature", "resource", "content-digest", "nonce")
# The resource that was changed on the way is also another one than the backend's.
OF_TWO = "other agen-resource"


def find_lines(source: str) -> list[tuple[str, str, str]]:
    """Find (check, condition as it stands, condition that always holds) of every line that checks."""
    found = [line for line in _CHECK.finditer(source) if line["check"] not in LAST_RESORT]
    return [
        (line["check"], line[0], f"need(true || ({line['holds']}), {line[0].rpartition(', ')[2]}") for line in found
    ]


def ask_weakened(language: str, into: Path, lines: list[tuple[str, str, str]]) -> set[str]:
    """Run a verifier in which some lines of one check hold whatever arrives; return what it then accepts."""
    source = extract(language)
    for _, strict, weak in lines:
        assert source.count(strict) == 1
        source = source.replace(strict, weak)
    into.mkdir()
    asked = [one for one in BAD if lines[0][0] in one.refused and one.name not in NOT_ASKED]
    with running(BUILDERS[language](source, into), into / "backend.log") as backend:
        return {one.name for one in asked if backend.ask(one) == "accepted"}


@pytest.mark.services
@pytest.mark.parametrize("language", BUILDERS)
@pytest.mark.parametrize("check", CHECKS)
def test_each_check_alone_refuses_its_vectors(language, check, tmp_path):
    lines = [line for line in find_lines(extract(language)) if line[0] == check]
    wanted = {one.name for one in BAD if one.refused == (check,) and one.name not in {*NOT_ASKED, OF_TWO}}
    assert wanted <= ask_weakened(language, tmp_path / "all", lines)
    # No line is idle: without it, something passes.
    assert all(ask_weakened(language, tmp_path / str(number), [line]) for number, line in enumerate(lines))
