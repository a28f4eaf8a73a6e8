"""A hundred thousand tokens at a sidecar that runs: its memory stays, and whoever calls next to them is answered."""

import asyncio
import base64
import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from tests.stress.sidecar import Plan, Sidecar, running

REMEMBERED = "500"
# One token in so many is good; only those could be remembered.
EVERY = 4
AT_ONCE = 64
WARM_UP = 4_000
ALLOWANCE_BYTES = 1024


def forge(token: str, number: int) -> str:
    """Write another caller into a token, under the signature that it has."""
    header, claims, signature = token.split(".")
    read = json.loads(base64.urlsafe_b64decode(f"{claims}=="))
    changed = json.dumps({**read, "sub": f"forged-{number}"}).encode()
    return ".".join((header, base64.urlsafe_b64encode(changed).rstrip(b"=").decode(), signature))


def memory_kib(sidecar: Sidecar) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{sidecar.process.pid}/status").read_text("utf-8"))
    assert found is not None
    return int(found[1])


async def flood(sidecar: Sidecar, count: int) -> Counter[object]:
    """Call with so many tokens, one in ten of them good; a regular caller continues next to them."""
    regular = sidecar.token(sub="regular")
    told: Counter[object] = Counter()

    def tokens() -> Iterator[tuple[bool, str]]:
        for number in range(count):
            is_good = number % EVERY == 0
            yield is_good, sidecar.token(sub=f"u-{number}") if is_good else forge(regular, number)

    coming = tokens()
    while batch := list(islice(coming, AT_ONCE)):
        answers = await asyncio.gather(*(sidecar.ask(token) for _, token in batch), sidecar.ask(regular))
        told["regular"] += answers.pop().is_allowed
        for (is_good, _), answer in zip(batch, answers, strict=True):
            told["good" if is_good else "forged", answer.reason or "allowed"] += 1
    return told


@pytest.mark.loopback
@pytest.mark.slow
@pytest.mark.services
@pytest.mark.parametrize("count", [16_000, 100_000])
async def test_memory_stays_and_every_caller_gets_the_own_answer(tmp_path, count):
    async with running(Plan(tmp_path, tokens=REMEMBERED), subprocess.DEVNULL) as sidecar:
        await flood(sidecar, WARM_UP)
        before = memory_kib(sidecar)
        told = await flood(sidecar, count)
        grown = memory_kib(sidecar) - before
    good = count // EVERY
    expected = {("good", "allowed"): good, ("forged", "token_signature"): count - good, "regular": -(-count // AT_ONCE)}
    assert told == expected
    # A token that is remembered takes more than twice as much.
    assert grown * 1024 < good * ALLOWANCE_BYTES
