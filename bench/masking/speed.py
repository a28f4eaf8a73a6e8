"""What masking a body costs, as multiples of `json.loads` and `json.dumps` of the same body in the same run.

Ours and the yardstick take turns, and CPU time is measured, for the machine may be busy. A hostile body is one megabyte
of what detectors take for the beginning of something; two megabytes must cost no more than 2.2 times as much, or be
refused.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from agen_authz.core.masking import Profile, Unmaskable, mask_body
from bench.masking.corpus import SEED
from bench.masking.people import draw_email, draw_name

ROUNDS, MEGABYTE = 5, 1 << 20
# How many bytes of small bodies are masked in a round, for each round but one.
_BYTES = 40_000
_PRESETS = ("pii", "phi", "gdpr", "pci", "secrets")
_CARD = "4111 1111 1111 1111"


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of masking and of the yardstick; `growth` is what twice the size costs more, None if not asked.

    Attributes:
        refused: True if the body was refused as too dear, which takes that long.
    """

    shape: str
    size: int
    ours_ms: float
    json_ms: float
    growth: float | None = None
    refused: bool = False


def _answer(value: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 7, "result": {"structuredContent": value}}).encode()


def _row(random: Random, place: int, *, is_personal: bool = False) -> dict[str, object]:
    row: dict[str, object] = {
        "orderId": random.randrange(10**9),
        "status": random.choice(("open", "shipped", "returned")),
        "item": random.choice(("blue kettle", "garden chair", "desk lamp, brass")),
        "amount": random.randrange(10**5) / 100,
        "updatedAt": f"2026-03-{place % 28 + 1:02}T10:{place % 60:02}:00Z",
    }
    if is_personal:
        row["item"] = f"{draw_name(random)} <{draw_email(random)}> paid with {_CARD}"
    return row


def usual() -> Iterator[tuple[str, bytes]]:
    """Yield usual bodies."""
    random = Random(SEED)
    clean = [_row(random, place) for place in range(75)]
    hit = [_row(random, place, is_personal=place in (20, 50)) for place in range(73)]
    yield "10 KB of rows, nothing to mask", _answer({"rows": clean})
    yield "10 KB of rows, four values", _answer({"rows": hit})
    text = json.dumps(clean)
    yield (
        "10 KB, rows within a text",
        json.dumps({"jsonrpc": "2.0", "id": 7, "result": {"content": [{"type": "text", "text": text}]}}).encode(),
    )
    rows = [_row(random, place, is_personal=place % 100 == 0) for place in range(7_600)]
    yield "1 MB of rows, 1 % with values", _answer({"rows": rows})


def hostile(size: int) -> Iterator[tuple[str, bytes]]:
    """Yield hostile bodies of about this size."""
    random = Random(SEED)

    def fill(unit: str) -> str:
        return (unit * (size // len(unit) + 1))[:size]

    yield "digits", _answer(fill("4111111111111111"))
    yield "letters", _answer(fill("abcdefghijklmnopqrstuvwxyz"))
    yield "digits with spaces", _answer(fill("4111 1111 "))
    yield "digits and letters with spaces", _answer(fill("A1 B2 "))
    yield (
        "random groups of digits",
        _answer(" ".join(str(random.randrange(10 ** random.randrange(1, 7))) for _ in range(size // 5))[:size]),
    )
    yield "at signs", _answer(fill("a@b."))
    yield "base64", _answer(base64.b64encode(random.randbytes(size * 3 // 4)).decode())
    yield "base64 of text in words", _answer(fill(base64.b64encode(b"card 4111 1111 1111").decode() + " "))
    yield "JSON in texts", _answer([json.dumps({"a": json.dumps({"b": place})}) for place in range(size // 34)])
    yield "percent escapes", _answer(fill("%34%31"))
    yield "labels", _answer(fill("ssn: iban: cvv: password= "))
    yield "beginnings of keys", _answer(fill("-----BEGIN PRIVATE KEY-----\n"))
    yield "distinct names of members", _answer({f"k{place}": place for place in range(size // 18)})
    yield "card numbers", _answer(fill(f"{_CARD} "))
    yield (
        "wide digits",
        json.dumps(
            {
                "jsonrpc": "2.0",
                "id": 7,
                "result": {"structuredContent": fill("\uff14\uff11\uff11\uff11 ")[: size // 3]},
            },
            ensure_ascii=False,
        ).encode(),
    )


def measure(hostile_bytes: int = MEGABYTE, rounds: int = ROUNDS) -> list[Cost]:
    """Measure every shape with the detectors of all presets."""
    profile = Profile.preset(*_PRESETS)
    for _, raw in usual():
        mask_body(raw, "application/json", profile)
    costs = [_measure(name, raw, profile, rounds) for name, raw in usual()]
    twice = dict(hostile(2 * hostile_bytes))
    for name, raw in hostile(hostile_bytes):
        once = _measure(name, raw, profile, min(rounds, 2))
        double = _measure(name, twice[name], profile, min(rounds, 2))
        growth = None if double.refused or once.refused else double.ours_ms / once.ours_ms
        costs.append(Cost(name, once.size, once.ours_ms, once.json_ms, growth, once.refused or double.refused))
    return costs


def _measure(name: str, raw: bytes, profile: Profile, rounds: int) -> Cost:
    ours, yardstick = [], []
    refused = False

    def mask() -> None:
        nonlocal refused
        try:
            mask_body(raw, "application/json", profile)
        except Unmaskable:
            refused = True

    many = max(1, (rounds - 1) * _BYTES // len(raw))
    for _ in range(rounds):
        ours.append(_time(mask, many))
        yardstick.append(_time(lambda: json.dumps(json.loads(raw)), many))
    return Cost(name, len(raw), min(ours), min(yardstick), refused=refused)


def _time(run: Callable[[], object], many: int) -> float:
    started = time.process_time()
    for _ in range(many):
        run()
    return (time.process_time() - started) / many * 1000


def render(costs: list[Cost]) -> str:
    """Render a table in Markdown."""
    lines = ["| body | KB | masking, ms | x json | MB/s | twice the size |", "|---|---|---|---|---|---|"]
    for cost in costs:
        rate = cost.size / 1e6 / (cost.ours_ms / 1e3)
        growth = "refused" if cost.refused else "" if cost.growth is None else f"{cost.growth:.1f} x"
        ratio = cost.ours_ms / cost.json_ms
        lines.append(
            f"| {cost.shape} | {cost.size / 1e3:.0f} | {cost.ours_ms:.2f} | {ratio:.1f} | {rate:.0f} | {growth} |"
        )
    return "\n".join(lines) + "\n"
