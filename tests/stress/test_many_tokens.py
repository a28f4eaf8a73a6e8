"""A hundred thousand tokens: what is remembered is bounded, and nobody's answer depends on who else calls.

Two thousand of them are signed (Ed25519) and take the whole way through Check. Signing a hundred thousand would
take most of a minute, so the bound itself is tried with entries that are put into the cache as Check puts them
there.
"""

import hashlib
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from agen_authz.core.identity.jwk import PublicKey
from agen_authz.core.identity.token import VerifiedToken
from agen_authz.token_cache import TokenCache, Vouched
from agen_authz.wire.identity import render_principal
from tests import builders as build
from tests.check.rig import Rig
from tests.fakes import ListSink, MemoryKeys

ALL, SIGNED, LIMIT, BYTES = 100_000, 2_000, 500, 64 << 20
KEY = build.ed_key()
PROVIDER = build.provider(algorithms=frozenset({"EdDSA"}))
RESOURCE = build.resource(providers={build.ISSUER: PROVIDER})


class CountedAudit(ListSink):
    """Counts events: a list of them all would be what grows here."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0

    def emit(self, line: bytes) -> bool:
        self.written += 1
        return True


def rig_of(tokens: TokenCache) -> Rig:
    return Rig(
        resources=(RESOURCE,),
        keys=MemoryKeys.holding(idp=[build.public_key(KEY)]),
        tokens=tokens,
        audit=CountedAudit(),
    )


def sign(subject: str, **changes: Any) -> str:
    return build.sign(build.claims(sub=subject, **changes), key=KEY, algorithm="EdDSA")


def subject_of(seen: Any) -> str | None:
    return seen.header("agen-subject")


def test_every_caller_of_many_is_told_apart_whatever_is_remembered():
    cache = TokenCache(LIMIT, BYTES)
    rig, document = rig_of(cache), build.message()
    regular = sign("regular")
    wrong = []
    for number in range(SIGNED):
        seen = rig.post(document, sign(f"u-{number}"))
        if (seen.status, subject_of(seen)) != (200, f'"u-{number}"'):
            wrong.append(number)
        if number % 100 == 0:
            again = rig.post(document, regular)
            assert (again.status, subject_of(again)) == (200, '"regular"')
    assert (wrong, rig.audit.written) == ([], SIGNED + SIGNED // 100)


def test_tokens_that_are_refused_are_not_remembered():
    cache = TokenCache(10, BYTES)
    rig, document = rig_of(cache), build.message()
    kept = sign("regular")
    rig.post(document, kept)
    good = hashlib.sha256(f"Bearer {kept}".encode()).digest()
    forger = build.ed_key("forger")
    refused = [build.sign(build.claims(jti=f"t{n}"), key=forger, algorithm="EdDSA") for n in range(20)]
    refused += [sign(f"u-{number}", iss=build.OTHER_ISSUER) for number in range(20)]
    refused += [sign(f"u-{number}")[:-4] for number in range(20)]
    assert {rig.post(document, token).status for token in refused} == {401}
    assert cache.find(good) is not None


def entries(key: PublicKey) -> Iterator[tuple[bytes, Vouched]]:
    """Yield entries for as many tokens as there are, each an object of its own."""
    principal = build.principal()
    verified = VerifiedToken(principal, build.KID, "at+jwt", frozenset({build.CRM_URL}), None)
    caller = render_principal(principal)
    for number in range(ALL):
        yield digest_of(number), Vouched(PROVIDER, key, "EdDSA", verified, caller)


def measure() -> tuple[int, int, int, bool]:
    """Count bytes: once the cache is full, after four times as many tokens more, and at most in between.

    The last value is true if the newest tokens, and no others, are remembered in the end.
    """
    cache, key = TokenCache(LIMIT, BYTES), build.public_key(KEY)
    coming = entries(key)
    fill(cache, coming, ALL // 10)
    tracemalloc.start()
    try:
        fill(cache, coming, LIMIT)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        fill(cache, coming, LIMIT * 4)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    fill(cache, coming, ALL)
    known = [number for number in range(ALL) if cache.find(digest_of(number)) is not None]
    return before, after, peak, known == list(range(ALL - LIMIT, ALL))


def test_memory_is_bounded_by_the_configured_size_however_many_tokens_come():
    # In a separate process: what other tests left behind allocates, too.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        before, after, peak, are_newest = alone.submit(measure).result()
    # All that is remembered was traced by then: what comes later costs nothing more, but for a table made again.
    assert (after < before * 1.1, peak < before * 2, are_newest) == (True, True, True)


def fill(cache: TokenCache, coming: Iterator[tuple[bytes, Vouched]], count: int) -> None:
    for _, (digest, vouched) in zip(range(count), coming, strict=False):
        cache.keep(digest, vouched, build.NOW)


def digest_of(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest()


def test_token_that_is_remembered_takes_a_few_kilobytes():
    rig, document = rig_of(TokenCache(LIMIT, BYTES)), build.message()
    tokens = [sign(f"u-{number}") for number in range(LIMIT)]
    rig.post(document, sign("regular"))
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for token in tokens:
            rig.post(document, token)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (after - before) / LIMIT < 4096


SPELLINGS = [f"{word}{' ' * spaces}" for word in ("Bearer", "bearer", "BEARER", "bEaReR") for spaces in range(1, 30)]


def test_one_token_is_remembered_once_however_its_header_is_written():
    cache = TokenCache(len(SPELLINGS), BYTES)
    rig, document = rig_of(cache), build.message()
    token = sign("flood")
    kept = sign("regular")
    assert rig.post(document, kept).status == 200
    answers = [rig.post(document, headers={"authorization": f"{spelled}{token}"}).status for spelled in SPELLINGS]
    assert set(answers) == {200}
    assert cache.find(hashlib.sha256(f"Bearer {kept}".encode()).digest()) is not None
