"""Writes the corpus: `python -m tests.fuzz.seeds`. Small inputs that lead each target deep.

Files named `finding-*` are not written here: each is an input that once broke a promise.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests import builders as build
from tests.fuzz.keys import ALGORITHMS, good_token, keys
from tests.fuzz.run import CORPUS
from tests.fuzz.seed_bodies import BODIES
from tests.fuzz.seed_names import ARGUMENTS, CONDITION_TEXTS, NAMES
from tests.fuzz.seed_requests import REQUESTS
from tests.fuzz.seed_texts import CLAIMS, EVENT_STREAMS, JSON_TEXTS, SIGNED_CHANGES
from tests.fuzz.targets.chain import token
from tests.fuzz.targets.signature import GOOD
from tests.fuzz.written import read_written, write_check


def seeds() -> Mapping[str, Mapping[str, bytes]]:
    """List every seed: corpus, name, input."""
    return {
        "check_raw": {name: write_check(read_written(REQUESTS[name])) for name in RAW} | BROKEN,
        "condition": CONDITION_TEXTS,
        "identity": {name: raw.encode() for name, raw in CLAIMS.items()},
        "jwks": dict(_jwks()),
        "json": JSON_TEXTS,
        "masking": BODIES,
        "names": NAMES,
        "policy": ARGUMENTS,
        "request": REQUESTS,
        "sse": EVENT_STREAMS,
        "signature": dict(_signatures()),
        "token_signed": dict(_signed()),
        "token_text": dict(_tokens()),
    }


# What some of them look like on Envoy's wire, and what no CheckRequest looks like.
RAW = ("legacy-call", "modern-call", "header-map", "header-values-as-text", "header-twice", "body-as-text", "stream")
# Claims that a token is accepted or refused for; the others are about how they are told to a backend.
CLAIMS_OF_TOKENS = (
    *("control", "of-another-type", "scopes-as-a-list", "many-audiences", "times-that-are-none", "bound-to-a-key"),
    *("id-token", "next-line", "audience-spelt-otherwise"),
)
BROKEN = {"nothing": b"", "cut-off": b"\n\x05\n", "group": b"\x0b\x0c", "long-varint": b"\xff" * 12}


def _signatures() -> Iterator[tuple[str, bytes]]:
    text, body = GOOD.header("signature-input"), GOOD.body
    first = b"signature-input: "
    yield "as-it-was", b"\n\n" + body
    yield "body-altered", b"\n\n" + body + b" "
    yield "subject-altered", b'agen-subject: "eve"\n\n' + body
    yield "written-with-spaces", first + text.replace(" ", "  ").encode() + b"\n\n" + body
    yield "beside-another", first + b'proxy=("@method"),' + text.encode() + b"\n\n" + body
    yield "twice", first + f"{text}, {text}".encode() + b"\n\n" + body
    yield "reordered", first + text.replace('"@method" "@path"', '"@path" "@method"').encode() + b"\n\n" + body
    yield (
        "with-parameters",
        first + text.replace('"@path"', '"@path" "@query-param";name="a"').encode() + b"\n\n" + body,
    )
    yield "no-digest", b"content-digest: sha-512=:AA==:\n\n" + body


def _dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def _jwks() -> Iterator[tuple[str, bytes]]:
    private = keys().private
    written = {kid: build.jwk(private[kid], kid) for kid in ALGORITHMS}
    yield "every-kind", build.jwks(*written.values())
    for kid in ALGORITHMS:
        yield f"one-{kid}", build.jwks(written[kid])
    yield "declared", build.jwks({**written["ec"], "alg": "ES256", "use": "sig", "key_ops": ["verify"]})
    yield "declared-for-another-family", build.jwks({**written["ec"], "alg": "RS256"})
    yield "for-encryption", build.jwks({**written["ec"], "use": "enc"})
    yield "one-name-twice", build.jwks(written["ed"], {**written["ec"], "kid": "ed"})
    yield "private", build.jwks({**written["ed"], "d": "AQ"})
    yield "symmetric", build.jwks({"kty": "oct", "k": "AQ", "kid": "s", "alg": "HS256"})
    yield "off-the-curve", build.jwks({**written["ec"], "y": written["ec"]["x"]})
    yield "no-keys", b"{}"


def _signed() -> Iterator[tuple[str, bytes]]:
    claims = _dump(build.claims())
    for kid, algorithm in ALGORITHMS.items():
        yield f"good-{kid}", b"keep\n" + _dump({"alg": algorithm, "typ": "at+jwt", "kid": kid}) + b"\n" + claims
    header = b'{"alg":"EdDSA","typ":"at+jwt","kid":"ed"}'
    for name, (change, other, payload) in SIGNED_CHANGES.items():
        yield name, b"\n".join((change, other or header, payload or claims))
    for name in CLAIMS_OF_TOKENS:
        document = build.claims() | json.loads(CLAIMS[name])
        yield f"claims-{name}", b"\n".join((b"keep", header, _dump(document)))


def _tokens() -> Iterator[tuple[str, bytes]]:
    for kid in ALGORITHMS:
        yield f"good-{kid}", good_token(kid).encode()
    signed, _, signature = token().rpartition(".")
    _, payload = signed.split(".")
    unsigned = build.b64(b'{"alg":"none","typ":"at+jwt","kid":"ec"}')
    yield "algorithm-none", f"{unsigned}.{payload}.".encode()
    yield "algorithm-none-with-signature", f"{unsigned}.{payload}.{signature}".encode()
    yield "signature-in-another-spelling", _spell_otherwise(token()).encode()
    yield "padded", f"{token()}==".encode()
    yield "last-character-changed", token()[:-1].encode() + b"x"
    yield "signature-of-zeros", f"{signed}.{build.b64(bytes(64))}".encode()
    yield (
        "claims-of-another",
        f"{signed.partition('.')[0]}.{build.b64(_dump(build.claims(sub='bob')))}.{signature}".encode(),
    )
    yield "four-parts", f"{token()}.x".encode()
    yield "two-parts", signed.encode()


def _spell_otherwise(text: str) -> str:
    # The last character holds two bits of the signature and four spare ones.
    return text[:-1] + chr(ord(text[-1]) + 1)


def main() -> None:
    """Write the corpus again; findings stay."""
    for name, inputs in seeds().items():
        folder = CORPUS / name
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if not path.name.startswith("finding-"):
                path.unlink()
        for label, raw in inputs.items():
            (folder / label).write_bytes(raw)


if __name__ == "__main__":
    main()
