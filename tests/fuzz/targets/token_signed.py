"""Any header and claims, truthfully signed, then changed or not: accepted is what was signed, read as it stands.

    flip 2 10 1
    {"alg":"EdDSA","typ":"at+jwt","kid":"ed"}
    {"iss":"https://idp.example.com","sub":"ann"}

The first line says what happens after signing: `keep`, `flip PART BYTE MASK`, or `hmac KID`, which signs with a
public key as if it were a secret.
"""

from dataclasses import dataclass
from typing import Any

from agen_authz.core.errors import Rejected
from agen_authz.core.identity.jws import read_token
from agen_authz.core.identity.token import VerifiedToken, admit_principal, verify_token
from agen_authz.core.model import Principal, RawToken, Revoked
from tests import builders as build
from tests.fuzz.keys import ALGORITHMS, forge_symmetric, keys, sign_with
from tests.fuzz.reference import MAX_BRACKETS, Refused, bracket_count, is_same_url, read_json
from tests.fuzz.targets.target import Finding, Target, expect
from tests.fuzz.targets.token_text import PROVIDER, Read, Verify


@dataclass(frozen=True, slots=True)
class _Signed:
    text: str
    header: bytes
    claims: bytes
    kid: str
    is_changed: bool


def check(raw: bytes, verify: Verify = verify_token, read: Read = read_token) -> None:
    """Sign, change, verify, admit; compare with what was signed."""
    signed = _sign(raw)
    token = read(RawToken(signed.text))
    if isinstance(token, Rejected):
        return
    expect(signed.is_changed or token.signing_input == signed.text.rpartition(".")[0].encode(), "all of it is signed")
    for kid, key in keys().published.items():
        verified = verify(token, key, PROVIDER)
        if isinstance(verified, VerifiedToken):
            expect(not signed.is_changed and kid == signed.kid, "nothing but a token signed by the key is accepted")
            _compare(verified, signed)


def _sign(raw: bytes) -> _Signed:
    change, _, rest = raw.partition(b"\n")
    header, _, claims = rest.partition(b"\n")
    words = change.decode("latin-1").split(" ")
    kid = "ec" if b"ES256" in header else "rsa" if b"RS256" in header else "ed"
    parts = [header, claims]
    signing_input = ".".join(map(build.b64, parts)).encode()
    if words[0] == "hmac":
        parts.append(forge_symmetric(words[-1] if words[-1] in ALGORITHMS else kid, signing_input))
        return _join(parts, kid, is_changed=True)
    parts.append(sign_with(kid, signing_input))
    changed = _flip(parts, words) if words[0] == "flip" else parts
    return _join(changed, kid, is_changed=changed != parts)


def _flip(parts: list[bytes], words: list[str]) -> list[bytes]:
    numbers = [int(word) for word in words[1:4] if word.isascii() and word.isdigit() and len(word) < 5]
    if len(numbers) < 3 or not parts[numbers[0] % 3] or not numbers[2] % 256:
        return parts
    place, position, mask = numbers[0] % 3, numbers[1], numbers[2] % 256
    changed = bytearray(parts[place])
    changed[position % len(changed)] ^= mask
    return [bytes(changed) if number == place else part for number, part in enumerate(parts)]


def _join(parts: list[bytes], kid: str, *, is_changed: bool) -> _Signed:
    return _Signed(".".join(map(build.b64, parts)), parts[0], parts[1], kid, is_changed)


def _compare(verified: VerifiedToken, signed: _Signed) -> None:
    header, claims = _read(signed.header), _read(signed.claims)
    principal = verified.principal
    expect(header.get("alg") == ALGORITHMS[signed.kid] and "crit" not in header, "in the algorithm of its key")
    expect(verified.kid == header.get("kid"), "the kid is the header's")
    expect(repr(principal.claims) == repr(claims), "the claims are those that were signed")
    expect(principal.issuer == claims.get("iss") == build.ISSUER, "the issuer is the provider's")
    expect(principal.subject == claims.get("sub") != "", "the subject is the claims'")
    for name, told in (("roles", principal.roles), ("permissions", principal.permissions)):
        held = claims.get(name) or []
        expect(
            list(told) == ([held] if isinstance(held, str) else held),
            "lists are the claims', a lone text is a list of one",
        )
    if principal.amr is not None:
        expect(list(principal.amr) == (claims.get("amr") or []), "what can be read of `amr` is the claim's")
    texts = (*principal.roles, *principal.permissions, principal.subject, principal.tenant, principal.client)
    expect(not any(ord(char) < 32 or ord(char) == 127 for text in texts for char in text), "no control characters")
    audience = claims.get("aud")
    expect(verified.audiences == {audience} if isinstance(audience, str) else True, "the audience is the claims'")
    _expect_admission(verified, claims)


def _expect_admission(verified: VerifiedToken, claims: dict[str, Any]) -> None:
    provider, resource = PROVIDER, build.resource()
    admitted = admit_principal(verified, provider, resource, revoked=Revoked(), now=build.NOW)
    if isinstance(admitted, Principal):
        audience, leeway_s = claims["aud"], provider.leeway_s
        told = [audience] if isinstance(audience, str) else audience
        expect(any(is_same_url(resource.url, each) for each in told), "it is for this resource")
        expect(claims["exp"] + leeway_s > build.NOW, "it has not expired")
        expect(claims.get("nbf", 0) <= build.NOW + leeway_s, "it is valid by now")


def _read(part: bytes) -> dict[str, Any]:
    expect(bracket_count(part) <= MAX_BRACKETS, "no deep nesting is accepted")
    try:
        members = read_json(part)
    except Refused as exc:
        raise Finding(f"the reference refuses what is accepted: {exc}") from exc
    expect(isinstance(members, dict), "an object")
    return dict(members)


TARGET = Target("token_signed", check, "token_signed", max_bytes=1024)
