"""Two packages of npm, `http-message-signatures` and `http-message-sig`: they accept ours, and we read theirs.

What they say of a header of zero length: both sign and verify one as it is, `"agen-roles": ` with nothing behind.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agen_authz.core.signature import spell_component
from tests.peers.installed import INSTALLED
from tests.signing.ours import identity_of, render_signature, verifier_of, verify
from tests.signing.page import find_node
from tests.signing.vectors import ACCEPTED, Vector, load, load_for_any_library

pytestmark = pytest.mark.services
GOOD, BAD = load(ACCEPTED), load_for_any_library()
SCRIPT = Path(__file__).resolve().parent / "foreign.mjs"
SIGNATURES, SIG = "http-message-signatures", "http-message-sig"
PACKAGES = pytest.mark.parametrize("package", [SIGNATURES, SIG])
NONCE = "0123456789abcdef0123456789abcdef"
# What a package says that it cannot do.
UNABLE = {(SIG, "derived components"): "SignatureError: @query-param is not supported"}
# They read no bodies, and leave tags to their caller.
OF_CALLERS = {"content-digest", "tag"}
# What a package accepts and nobody should: the first looks at no label, takes the last of two signatures with one
# label, and a component that is covered twice.
LAX = {(SIGNATURES, "other label"), (SIGNATURES, "two signatures"), (SIGNATURES, "component twice")}


def ask(vectors: list[Vector]) -> dict[str, dict[str, Any]]:
    """Let both packages verify and sign vectors, in one process; return what they say of each."""
    command = [find_node(), str(SCRIPT), str(INSTALLED)]
    given = json.dumps([render(vector) for vector in vectors])
    run = subprocess.run(command, input=given, stdout=subprocess.PIPE, text=True, check=True, timeout=60)
    return dict(zip([vector.name for vector in vectors], json.loads(run.stdout), strict=True))


def render(vector: Vector) -> dict[str, Any]:
    keyid = next(iter(vector.keys))
    times = {"created": vector.now - 5, "expires": vector.now + 55}
    return {
        "method": vector.method,
        "url": f"{vector.scheme}://{vector.header('host')}{vector.target}",
        "target": vector.target,
        "headers": vector.headers,
        "keys": {name: secret.hex() for name, secret in vector.keys.items()},
        "required": [name for name in vector.mandatory if ";" not in name],
        "covered": list(map(spell_component, vector.covered)),
        "parameters": {**times, "nonce": NONCE, "keyid": keyid, "alg": "hmac-sha256", "tag": "agen-authz"},
        "now": vector.now,
    }


@pytest.fixture(scope="module")
def said() -> dict[str, dict[str, Any]]:
    return ask(GOOD)


@PACKAGES
@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector.name)
def test_they_accept_what_we_sign(said, package, vector):
    assert said[vector.name][package]["verified"] == UNABLE.get((package, vector.name), True)


@pytest.fixture(scope="module")
def said_of_bad() -> dict[str, dict[str, Any]]:
    return ask(BAD)


@PACKAGES
@pytest.mark.parametrize(
    "vector", [one for one in BAD if not OF_CALLERS & set(one.refused)], ids=lambda vector: vector.name
)
def test_they_refuse_what_is_to_be_refused(said_of_bad, package, vector):
    assert (said_of_bad[vector.name][package]["verified"] is True) == ((package, vector.name) in LAX)


@PACKAGES
@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector.name)
def test_we_compute_and_accept_what_they_sign(said, package, vector):
    answer = said[vector.name][package]
    if (package, vector.name) in UNABLE:
        assert answer["signed"] == UNABLE[package, vector.name]
        return
    parameters = answer["signatureInput"].removeprefix("agen=")
    assert answer["signature"] == render_signature(vector, parameters, next(iter(vector.keys.values())))
    signed = vector.with_headers({"signature-input": answer["signatureInput"], "signature": answer["signature"]})
    assert verify(verifier_of(vector), signed) == identity_of(vector)
