"""The corpus without the fuzzer, whether each promise can be broken at all, and a bounded run of the fuzzer itself."""

import json
from base64 import urlsafe_b64decode
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from msgspec import structs

from agen_authz.core.cel.condition import ConditionMistake
from agen_authz.core.errors import Rejected
from agen_authz.core.identity.jwk import KeySet, parse_jwks
from agen_authz.core.identity.jws import UnverifiedToken, read_claims, read_token
from agen_authz.core.identity.token import VerifiedToken, read_principal, verify_token
from agen_authz.core.masking import Masked, mask_body
from agen_authz.core.message.mcp import parse
from agen_authz.core.model import Call, Envelope, Misread, RawToken, Request
from agen_authz.core.policy.table import environment
from agen_authz.core.reason import Reason
from agen_authz.verify import BackendVerifier
from agen_authz.verify.shape import read_claim
from agen_authz.wire.ext_authz import read_check
from agen_authz.wire.identity import render_principal
from tests import builders as build
from tests.check.rig import Seen
from tests.fuzz.changes import change, read_words
from tests.fuzz.keys import keys
from tests.fuzz.run import CORPUS, WORDS, Ended, run_fuzzer
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import (
    chain,
    check_pieces,
    check_raw,
    condition,
    identity,
    jwks,
    masking,
    mcp,
    names,
    policy,
    signature,
    sse,
    strict_json,
    token_signed,
    token_text,
)
from tests.fuzz.targets.every import TARGETS
from tests.fuzz.targets.target import Finding
from tests.fuzz.written import read_written, write_check
from tests.verify.signed import KEYS, NOW

CHANGED = 1000
INPUTS = [
    pytest.param(target, path, id=f"{target.name}-{path.name}")
    for target in TARGETS.values()
    for path in sorted((CORPUS / target.corpus).iterdir())
]

# ---- the corpus ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "path"), INPUTS)
def test_every_input_of_the_corpus_keeps_the_promises(target, path):
    raw = path.read_bytes()
    assert len(raw) <= target.max_bytes
    target.check(raw)


def test_corpus_is_what_the_seeds_say_and_what_was_found():
    kept = {(path.parent.name, path.name): path.read_bytes() for path in CORPUS.glob("*/*")}
    written = {(corpus, name): raw for corpus, inputs in seeds().items() for name, raw in inputs.items()}
    assert {each: raw for each, raw in kept.items() if not each[1].startswith("finding-")} == written


def test_corpus_stays_small():
    sizes = [path.stat().st_size for path in CORPUS.glob("*/*")]
    assert len(sizes) < 250 and sum(sizes) < 300_000


ALLOWED = {
    "header-map", "header-name-in-base64", "header-values-as-text", "large-integer", "legacy-call",
    "legacy-call-in-a-session", "modern-call", "notification", "origin", "overrides", "response", "session-ends",
    "signature-forged", "stream", "task",
}  # fmt: skip


def test_seeds_lead_to_calls_that_are_allowed():
    # Inputs that are all refused at the first step would find nothing behind it.
    requests = seeds()["request"]
    methods = {name for name in requests if name.startswith("method-")} - {"method-legacy-tasks-get"}
    assert {name for name, raw in requests.items() if ask(raw).is_allowed} == ALLOWED | methods


def ask(raw: bytes) -> Seen:
    text = raw.replace(b"{token}", chain.token().encode())
    return chain.build_rig().check(write_check(read_written(text)))


@pytest.mark.parametrize("kid", ["ec", "ed", "rsa"])
def test_good_tokens_of_the_corpus_are_accepted(kid):
    token = read_token(RawToken(seeds()["token_text"][f"good-{kid}"].decode()))
    assert isinstance(token, UnverifiedToken)
    verified = verify_token(token, keys().published[kid], token_text.PROVIDER)
    assert isinstance(verified, VerifiedToken) and verified.principal.claims == build.claims()


def test_words_are_written_as_the_fuzzer_reads_them():
    lines = [line for line in WORDS.read_text("ascii").splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not (line[0] == line[-1] == '"' and len(line) > 2)] == []
    assert len(lines) == len(set(lines))


@pytest.mark.parametrize("name", TARGETS)
def test_changed_inputs_keep_the_promises(name):
    target = TARGETS[name]
    seeds_of = [path.read_bytes() for path in sorted((CORPUS / target.corpus).iterdir())]
    for raw in change(seeds_of, read_words(WORDS), target.max_bytes, CHANGED):
        try:
            target.check(raw)
        except BaseException as exc:
            exc.add_note(f"the input: {raw!r}")
            raise


def test_changes_are_the_same_each_time_and_leave_few_inputs_as_they_were():
    made = [list(change([b"abc", b"defg"], [b"word"], 8, 50)) for _ in range(2)]
    assert made[0] == made[1]
    assert len(set(made[0]) - {b"abc", b"defg"}) > 30
    assert max(map(len, made[0])) == 8


# ---- each promise can be broken: a subject that is wrong in one way is found out -------------------------------


def forgetful(raw):
    read = read_check(raw)
    assert isinstance(read, Request)
    return structs.replace(read, repeated=frozenset())


def deaf_to_partial_bodies(raw):
    read = read_check(raw)
    assert isinstance(read, Request)
    return structs.replace(read, is_partial=False)


def parse_as(request, server, limits, **changes):
    call = parse(request, server, limits)
    assert isinstance(call, Call)
    return structs.replace(call, **changes)


def misread_as_allowed(request, server, limits):
    return Misread(Reason.ALLOWED)


def read_last_of_two(request, server, limits):
    """Read a message as a parser does that takes the last of two keys."""
    return parse(structs.replace(request, raw_body=json.dumps(json.loads(request.raw_body)).encode()), server, limits)


def believe(token, key, provider):
    claims = read_claims(token)
    return claims if isinstance(claims, Rejected) else read_principal(claims, token, provider)


def read_leniently(raw):
    """Read a token as a decoder does that takes no heed of spare bits."""
    signed, _, signature = raw.rpartition(".")
    return read_token(RawToken(f"{signed}.{build.b64(urlsafe_b64decode(signature + '=='))}"))


def as_bob(token, key, provider):
    verified = verify_token(token, key, provider)
    if not isinstance(verified, VerifiedToken):
        return verified
    claims = {**(verified.principal.claims or {}), "sub": "bob"}
    return replace(verified, principal=replace(verified.principal, claims=claims))


def allow(raw):
    return Seen(is_allowed=True, status=200, body="", reason="allowed")


def fail(raw):
    return Seen(is_allowed=False, status=500, body="", reason="internal_error")


def under_another_name(raw):
    keys_read = parse_jwks(raw)
    assert isinstance(keys_read, KeySet)
    return KeySet({(f"{kid}x", algorithm): key for (kid, algorithm), key in keys_read.by_name.items()})


def render_root(principal):
    return render_principal(replace(principal, subject="root"))


def compile_more(text):
    return environment().compile(f"{text} && user.email_verified")


def say_yes(text):
    return True


def claim_another_key(text):
    return read_claim(text)._replace(keyid="another")


class BelievesBodies(BackendVerifier):
    """Looks at no body."""

    def __init__(self):
        super().__init__(KEYS, resource="crm", clock=lambda: NOW)

    def check_body(self, claimed, body):
        """Accept it."""


class BelievesAll(BelievesBodies):
    """Looks at nothing."""

    def verify(self, received, body):
        """Accept it."""


def split_lines(*pieces):
    """Read a stream as a reader does to whom each piece ends with a line."""
    return [found for piece in pieces for found in sse.read(piece)]


def mask_nothing(raw, media, profile):
    return Masked(raw)


def mask_once_more(raw, media, profile):
    """Mask what is masked already."""
    masked = mask_body(raw, media, profile)
    return structs.replace(masked, body=masked.body + b"x")


def lose_the_last(*pieces):
    return sse.read(*pieces)[:-1]


BROKEN: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "a key twice is read": (strict_json, "json/duplicate-key", {"parse": lambda raw, depth: json.loads(raw)}),
    "a value is read as another": (strict_json, "json/minus-zero", {"parse": lambda raw, depth: [0, 0, 0]}),
    "a plain reader is lenient": (strict_json, "json/duplicate-key", {"plainly": lambda raw: (json.loads(raw),)}),
    "nothing is read": (check_raw, "check_raw/legacy-call", {"read": lambda raw: read_check(b"\xff")}),
    "repeats are forgotten": (check_raw, "check_raw/header-twice", {"read": forgetful}),
    "a partial body is whole": (check_pieces, "request/body-partial", {"read": deaf_to_partial_bodies}),
    "another method is read": (mcp, "request/legacy-call", {"read": partial(parse_as, method="ping")}),
    "another tool is read": (mcp, "request/legacy-call", {"read": partial(parse_as, targets=(build.tool("x"),))}),
    "other arguments are read": (mcp, "request/legacy-call", {"read": partial(parse_as, arguments={"id": 1.0})}),
    "another id is read": (mcp, "request/legacy-call", {"read": partial(parse_as, envelope=Envelope(id="7"))}),
    "what is misread is allowed": (mcp, "request/initialize-in-modern", {"read": misread_as_allowed}),
    "the last method of two is read": (mcp, "request/duplicate-method", {"read": read_last_of_two}),
    "the last name of two is read": (mcp, "request/duplicate-name", {"read": read_last_of_two}),
    "no signature is looked at": (token_text, "token_text/claims-of-another", {"verify": believe}),
    "other claims are told": (token_text, "token_text/good-ec", {"verify": as_bob}),
    "a signature is spelt otherwise": (
        token_text,
        "token_text/signature-in-another-spelling",
        {"read": read_leniently},
    ),
    "a flipped signature passes": (token_signed, "token_signed/signature-flipped", {"verify": believe}),
    "a public key is a secret": (token_signed, "token_signed/public-key-as-secret", {"verify": believe}),
    "signed claims are told otherwise": (token_signed, "token_signed/good-ed", {"verify": as_bob}),
    "everything is allowed": (chain, "request/duplicate-name", {"ask": allow}),
    "every token is allowed": (chain, "request/token-absent", {"ask": allow}),
    "every host is allowed": (chain, "request/another-host", {"ask": allow}),
    "it fails": (chain, "request/legacy-call", {"ask": fail}),
    "a key has another name": (jwks, "jwks/one-ec", {"parse": under_another_name}),
    "no policy applies": (policy, "policy/every-kind", {"evaluate": lambda asked: ()}),
    "a text is never a mistake": (
        condition,
        "condition/quoted",
        {"compiled": lambda text: ConditionMistake(0, "", "")},
    ),
    "a condition reads more": (condition, "condition/compare", {"compiled": compile_more}),
    "dot segments are accepted": (names, "names/uri-dots-with-parameters", {"is_uri": say_yes}),
    "escaped dots are accepted": (names, "names/uri-escaped-twice", {"is_uri": say_yes}),
    "userinfo is accepted": (names, "names/uri-web-userinfo", {"is_uri": say_yes}),
    "any form is accepted": (names, "names/prompt-decomposed", {"is_prompt": say_yes}),
    "any tool is accepted": (names, "names/prompt", {"is_tool": say_yes}),
    "a claim is read as another": (signature, "signature/as-it-was", {"read": claim_another_key}),
    "any body is accepted": (signature, "signature/body-altered", {"build": BelievesBodies}),
    "any header is accepted": (signature, "signature/subject-altered", {"build": BelievesAll}),
    "an event ends with a piece": (sse, "sse/line-ends", {"read": split_lines}),
    "an event is lost": (sse, "sse/priming", {"read": lose_the_last}),
    "a value passes": (masking, "masking/words", {"mask": mask_nothing}),
    "a mask is masked": (masking, "masking/words", {"mask": mask_once_more}),
    "another caller is told": (identity, "identity/plain", {"render": render_root}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_subject_is_found_out(name):
    module, path, subject = BROKEN[name]
    raw = (CORPUS / path).read_bytes()
    module.check(raw)
    with pytest.raises(Finding):
        module.check(raw, **subject)


def test_every_target_can_fail():
    assert {module.TARGET.name for module, _, _ in BROKEN.values()} == set(TARGETS)


# ---- the fuzzer ------------------------------------------------------------------------------------------

STOPPED = """\
 === Uncaught Python exception: ===
Finding: a token is read whole
Traceback (most recent call last):
  File "tests/fuzz/targets/token_text.py", line 38, in check

==7== ERROR: libFuzzer: fuzz target exited
artifact_prefix='build/fuzz/findings/x-'; Test unit written to build/fuzz/findings/x-crash-1
stat::number_of_executed_units: 29
"""


def test_finding_is_reported_with_its_cause_and_how_to_replay_it():
    assert Ended("x", is_clean=False, said=STOPPED).tell() == (
        "x: a promise is broken\nFinding: a token is read whole\nTraceback (most recent call last):\n"
        '  File "tests/fuzz/targets/token_text.py", line 38, in check\n'
        "replay it: python -m tests.fuzz x --replay build/fuzz/findings/x-crash-1\n"
    )


def test_fuzzer_that_dies_is_reported_with_its_last_lines():
    assert (
        Ended("x", is_clean=False, said="Segmentation fault").tell() == "x: a promise is broken\nSegmentation fault\n"
    )


def test_clean_run_tells_how_many_inputs_there_were():
    assert Ended("x", is_clean=True, said=STOPPED).tell() == "x: 29 inputs, no finding\n"


@pytest.mark.services
@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_fuzzer_reads_the_corpus_and_finds_nothing(name, tmp_path):
    # What it tries beyond that is chance, even with a fixed seed: that is for `make fuzz`.
    ended = run_fuzzer(name, 0, tmp_path)
    assert (ended.findings, ended.is_clean) == ((), True), ended.tell()
    assert "stat::number_of_executed_units" in ended.said
