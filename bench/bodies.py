"""One caller's bodies: what strict JSON costs for the worst shapes that fit into a megabyte.

The last rows are a whole Check of one body within every limit, with Python's garbage collector as it comes and as
`serve` sets it. The yardstick of each is `json.loads` of the same bytes, in the same run. Where that gives up early,
because it refuses the text or nests too deeply, it is `json.loads` of one string of the same length.
"""

import gc
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agen_authz.app import garbage
from agen_authz.core.errors import Malformed
from agen_authz.core.strict_json import parse_json
from bench.decision import Decision
from bench.subject import build_check_request

BODY_BYTES = 1 << 20
MAX_DEPTH, MAX_VALUES = 64, 50_000
ROUNDS = 5
GOAL = 5.0
_PAIR = b'"\\ud83d\\ude00"'
_PROTOTYPES = b'{"constructor":{},"a\\"__proto__":[{"prototype":1}]}'


@dataclass(frozen=True, slots=True)
class Cost:
    """One shape: milliseconds of the yardstick, and ours with and without a limit of values."""

    shape: str
    json_ms: float
    bounded_ms: float
    unbounded_ms: float

    @property
    def worst(self) -> float:
        """The dearer of ours, in yardsticks."""
        return max(self.bounded_ms, self.unbounded_ms) / self.json_ms


def _fill(unit: bytes, size: int, last: bytes = b"1") -> bytes:
    return b"[" + (unit + b",") * ((size - len(last)) // (len(unit) + 1)) + last + b"]"


def _fill_string(unit: bytes, size: int, last: bytes = b"") -> bytes:
    return b'"' + unit * (size // len(unit)) + last + b'"'


def shapes(size: int = BODY_BYTES) -> Iterator[tuple[str, bytes]]:
    """List bodies of about `size` bytes; most end in what keeps the short way from being taken."""
    yield from _shapes_of_brackets(size)
    yield from _shapes_of_text(size)


def _shapes_of_brackets(size: int) -> Iterator[tuple[str, bytes]]:
    nested = b"[" * 60 + b"]" * 60
    yield "nested to the limit", _fill(nested, size)
    yield "nested to the limit, a surrogate pair", _fill(nested, size, _PAIR)
    yield "objects nested to the limit", _fill(b'{"a":' * 60 + b"1" + b"}" * 60, size) + b"\n"
    yield "deep, then wide", b"[" * 60 + _fill(b"[]", size, _PAIR) + b"]" * 60
    yield "deeper than the limit", b"[" * size
    yield "closed more often than opened", b"[" * 65 + b"]" * (size - 65)
    yield "empty lists, a surrogate pair", _fill(b"[]", size, _PAIR)
    yield "empty objects, a surrogate pair", _fill(b"{}", size, _PAIR)
    yield "small objects, indented", _fill(b'{"a":1}', size) + b"\n"
    yield "objects next to a prototype", _fill(b"{}", size, _PROTOTYPES)
    yield "many keys", b"{" + b",".join(b'"%d":1' % key for key in range(size // 12)) + b"}\n"
    yield "many keys, the first again", b"{" + b",".join(b'"%d":1' % key for key in range(size // 12)) + b',"0":1}'
    yield "escaped keys", _fill(b'{"\\u0061":"\\u003a"}', size)


def _shapes_of_text(size: int) -> Iterator[tuple[str, bytes]]:
    yield "one long text", _fill_string(b"a", size)
    yield "one text of brackets", _fill_string(b"[", size)
    yield "one text of letters of four bytes, a pair", _fill_string("😀".encode(), size, _PAIR[1:-1])
    yield "escapes", _fill_string(b"\\n", size)
    yield "escaped letters", _fill_string(b"\\u0041", size)
    yield "surrogate pairs", _fill_string(_PAIR[1:-1], size)
    yield "escaped backslashes, an escaped colon", _fill_string(b"\\\\", size, b"\\u003a")
    yield "half a pair at the end", _fill(b'"a"', size, b'"\\ud800"')
    yield "short texts, a pair", _fill(b'"a"', size, _PAIR)
    yield "texts of brackets", _fill(b'"[["', size)
    yield "small numbers, indented", _fill(b"1", size) + b"\n"
    yield "small numbers and a long one", _fill(b"1", size, b'"' + b"9" * 30 + b'"') + b"\n"
    yield "long numbers, indented", _fill(b"1234567890123456789", size) + b"\n"
    yield "fractions, indented", _fill(b"1.5", size) + b"\n"
    yield "one number", b"9" * size
    yield "one long fraction", b"0." + b"1" * size
    yield "spaces", b"[" + b" " * size + b"1]"
    yield "line breaks", b"[" + b"\n" * size + b"1]"


def measure(size: int = BODY_BYTES) -> list[Cost]:
    """Time every shape, the best of five rounds."""
    floor_ms = _best(lambda: json.loads(_fill_string(b"a", size)))
    return [_measure(shape, raw, floor_ms) for shape, raw in shapes(size)]


def _measure(shape: str, raw: bytes, floor_ms: float) -> Cost:
    return Cost(
        shape,
        max(_best(lambda: _load(raw)), floor_ms if isinstance(parse_json(raw, MAX_DEPTH), Malformed) else 0.0),
        _best(lambda: parse_json(raw, MAX_DEPTH, MAX_VALUES)),
        _best(lambda: parse_json(raw, MAX_DEPTH)),
    )


def _load(raw: bytes) -> None:
    try:
        json.loads(raw)
    except (ValueError, RecursionError):
        pass


def _best(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
    return best * 1e3


@dataclass(frozen=True, slots=True)
class Collected:
    """A whole Check of a body of lists: milliseconds and runs of the collector for each call."""

    usual_ms: float
    usual_runs: float
    served_ms: float
    served_runs: float
    json_ms: float


def measure_collector(values: int = MAX_VALUES) -> Collected:
    """Decide a call of nearly as many lists as may be, before and after the collector is set."""
    arguments: dict[str, object] = {"rows": [[]] * (values // 2 - 50), "pair": "\U0001f600"}
    decision = Decision(raw=build_check_request(arguments))
    body = json.dumps(arguments)
    usual_runs, usual_ms = _count_runs(decision)
    was = gc.get_threshold()
    garbage.calm()
    garbage.settle()
    served_runs, served_ms = _count_runs(decision)
    json_ms = _best(lambda: json.loads(body))
    gc.set_threshold(*was)
    gc.unfreeze()
    return Collected(usual_ms, usual_runs, served_ms, served_runs, json_ms)


def _count_runs(decision: Decision) -> tuple[float, float]:
    before = sum(generation["collections"] for generation in gc.get_stats())
    best_ms = _best(decision.decide)
    return (sum(generation["collections"] for generation in gc.get_stats()) - before) / ROUNDS, best_ms


def render_collector(seen: Collected) -> str:
    """Write the rows."""
    return "\n".join(
        (
            f"{'a Check of lists, the collector as it comes':<60}{seen.usual_ms / seen.json_ms:>8.2f} x"
            f"{seen.usual_ms:>9.1f} ms{seen.usual_runs:>7.1f} runs a call",
            f"{'the same as served':<60}{seen.served_ms / seen.json_ms:>8.2f} x"
            f"{seen.served_ms:>9.1f} ms{seen.served_runs:>7.1f} runs a call",
        )
    )


def render(costs: list[Cost]) -> str:
    """Write the rows, in yardsticks."""
    rows = [f"{'strict JSON, a megabyte':<46}{'json.loads':>12}{'with limit':>12}{'without':>10}"]
    rows += [
        f"{cost.shape:<46}{cost.json_ms:>9.1f} ms{cost.bounded_ms / cost.json_ms:>10.2f} x"
        f"{cost.unbounded_ms / cost.json_ms:>8.2f} x"
        for cost in costs
    ]
    worst = max(costs, key=lambda cost: cost.worst)
    rows.append(f"{f'the worst: {worst.shape}':<60}{worst.worst:>8.2f} x (goal {GOAL:.0f})")
    return "\n".join(rows)


if __name__ == "__main__":
    print(render(measure()))
    print(render_collector(measure_collector()))
