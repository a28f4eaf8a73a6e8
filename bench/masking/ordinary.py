"""Documents that hold nothing to mask: what tools return besides people, cards and secrets."""

import hashlib
import json
from collections.abc import Callable
from random import Random

from stdnum import ean, isbn


def _digits(random: Random, count: int) -> str:
    return "".join(random.choices("0123456789", k=count))


def _hex(random: Random, count: int) -> str:
    return f"{random.getrandbits(4 * count):0{count}x}"


def _uuid(random: Random) -> str:
    text = _hex(random, 32)
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-b{text[17:20]}-{text[20:]}"


def _isbn(random: Random) -> str:
    text = "978" + _digits(random, 9)
    return str(isbn.format(text + ean.calc_check_digit(text)))


def _commit(random: Random) -> str:
    name = hashlib.sha1(random.randbytes(8), usedforsecurity=False).hexdigest()
    return f"commit {name}\nMerge branch 'release/{random.randrange(1, 20)}.{random.randrange(40)}' into main\n"


def _log(random: Random) -> str:
    draw = random.randrange
    time = f"2025-{draw(1, 13):02}-{draw(1, 29):02}T{draw(24):02}:{draw(60):02}:{draw(60):02}.{_digits(random, 6)}Z"
    request = f"request {_uuid(random)} took {draw(2000)} ms, {draw(10**6)} bytes"
    return f"{time} INFO worker-{draw(9)} {request}, trace {_hex(random, 32)} span {_hex(random, 16)}"


def _code(random: Random) -> str:
    draw, name = random.randrange, random.choice(("rows", "pages", "events"))
    return (
        f"def load_{name}(path: str, limit: int = {draw(10**5)}) -> list[dict]:\n"
        f"    # see issue #{draw(10**4)}; retries after {draw(60)} s\n"
        f"    timeout = {draw(10**4)}; mask = 0x{_hex(random, 8)}\n"
        f"    return [row for row in read(path)[:limit] if row['version'] >= '{draw(9)}.{draw(30)}.{draw(99)}']\n"
    )


def _order(random: Random) -> str:
    rows = [
        {
            "orderId": int(_digits(random, random.choice((8, 9, 10, 11)))),
            "sku": f"{random.choice(('TX', 'AB', 'QR'))}-{_digits(random, 5)}-{random.choice('SML')}",
            "ean": (code := "40" + _digits(random, 10)) + ean.calc_check_digit(code),
            "quantity": random.randrange(1, 50),
            "price": random.randrange(10**6) / 100,
            "tracking": f"1Z{_digits(random, 8)}{_digits(random, 8)}",
            "createdAt": 1_700_000_000_000 + random.randrange(10**10),
            "status": random.choice(("shipped", "open", "returned")),
        }
        for _ in range(6)
    ]
    return json.dumps({"rows": rows})


def _build(random: Random) -> str:
    return json.dumps(
        {
            "image": f"registry.example.com/app@sha256:{_hex(random, 64)}",
            "version": f"{random.randrange(9)}.{random.randrange(30)}.{random.randrange(400)}+b.{_digits(random, 9)}",
            "etag": f'"{_hex(random, 32)}"',
            "revision": _digits(random, 7),
            "job": _uuid(random),
            "size": random.randrange(10**10),
        }
    )


def _book(random: Random) -> str:
    draw = random.randrange
    return f"ISBN {_isbn(random)}, {draw(1950, 2025)}, {draw(90, 900)} pages, shelf {draw(99)}.{draw(999)}"


def _links(random: Random) -> str:
    draw = random.randrange
    page = f"https://docs.example.com/v{draw(9)}/guide/{_digits(random, 6)}?page={draw(99)}#s-{draw(20)}"
    change = f"https://git.example.com/example/project/pull/{draw(10**4)}/files/{_hex(random, 40)}"
    return f"See {page} and {change} for details."


def _metrics(random: Random) -> str:
    points = [[1_700_000_000 + 60 * at, round(random.random() * 1e6, 4)] for at in range(12)]
    return json.dumps({"metric": "queue.depth", "unit": "count", "points": points, "checksum": _hex(random, 8)})


def _prose(random: Random) -> str:
    return random.choice(
        (
            "The quarterly review moved to room {n}; bring the figures for the last {m} weeks and the new floor plan.",
            "Die Lieferung umfasst {n} Paletten, Chargennummer {d}, und geht am Montag in das Lager {m}.",
            "Le rapport compte {n} pages ; la version {m}.{n} remplace la précédente, référence {d}.",
            "El pedido {d} contiene {n} unidades del modelo X{m}; el plazo es de {m} días.",
            "Il lotto {d} contiene {n} pezzi, modello {m}-B; la consegna avviene entro {m} giorni.",
            "Ticket {d} was closed after {n} comments; the fix is in build {d} and ships with release {m}.{n}.",
        )
    ).format(n=random.randrange(2, 400), m=random.randrange(2, 40), d=_digits(random, random.choice((7, 8, 9, 10, 12))))


def _table(random: Random) -> str:
    lines = ["| part | serial batch | weight g | lot |", "|---|---|---|---|"]
    lines += [
        f"| P{_digits(random, 6)} | {_digits(random, 8)} | {random.randrange(10**4)} | L{_digits(random, 9)} |"
        for _ in range(5)
    ]
    return "\n".join(lines)


KINDS: tuple[Callable[[Random], str], ...] = (
    _commit, _log, _code, _order, _build, _book, _links, _metrics, _prose, _table,
)  # fmt: skip


def draw_document(random: Random) -> str:
    """Draw a document."""
    return random.choice(KINDS)(random)
