"""What a forged token costs: a good header and a signature that is not, with claims of different size and shape."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from bench.decision import Decision
from bench.subject import ISSUER, KID, build_check_request

# Of the 16 KiB that a token may have; the rest is header and signature.
LARGE_BYTES = 12_000
ROUNDS, CALLS = 15, 100
GOAL = 2.0
EMPTY = "no claims"


def shapes() -> Mapping[str, bytes]:
    """Write claims of every shape that was found costly to parse, and of none."""
    named = f'{{"iss":"{ISSUER}","a":'.encode()
    flat = b"[" + b"[]," * ((LARGE_BYTES - 40) // 3) + b'"\\u00e9"]}'
    nest = b"[[[[[[[[]]]]]]]],"
    return {
        EMPTY: b"{}",
        "the issuer only": f'{{"iss":"{ISSUER}"}}'.encode(),
        "lists, and one escape": named + flat,
        "nested lists, and one escape": named + b"[" + nest * (LARGE_BYTES // len(nest)) + b'"\\ud83d\\ude00"]}',
        "brackets that never close": named + b"[" * LARGE_BYTES,
        "keys": named + b"{" + b'"k":1,' * (LARGE_BYTES // 6) + b'"z":1}}',
        "issuers": b'{"iss":"' * (LARGE_BYTES // 8),
        "issuers without an end": b'"iss":"' + b"\\a" * (LARGE_BYTES // 2),
        "issuers that are too long": (b'"iss":"' + b"a" * 520) * (LARGE_BYTES // 527),
        "one text": named + b'"' + b"x" * LARGE_BYTES + b'"}',
    }


def measure() -> dict[str, float]:
    """Time the whole decision for each shape, microseconds: interleaved rounds, the best of each."""
    decisions = {name: Decision(raw=build_check_request(token=forge(claims))) for name, claims in shapes().items()}
    best = dict.fromkeys(decisions, float("inf"))
    for _ in range(ROUNDS):
        for name, decision in decisions.items():
            best[name] = min(best[name], _time(decision))
    return best


def forge(claims: bytes) -> str:
    """Write a token with the kid of a published key, and a signature that no key made."""
    header = json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": KID}).encode()
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, claims, b"s" * 64))


def _time(decision: Decision) -> float:
    started = time.process_time()
    for _ in range(CALLS):
        decision.decide()
    return (time.process_time() - started) / CALLS * 1e6


def render(costs: Mapping[str, float]) -> str:
    """Write a row for each shape."""
    empty = costs[EMPTY]
    rows = [f"{'a forged token with':<34}{'us':>8}{f'x {EMPTY}':>14}   (goal {GOAL})"]
    rows += [f"{name:<34}{cost:>8.1f}{cost / empty:>14.2f}" for name, cost in costs.items()]
    return "\n".join(rows)
