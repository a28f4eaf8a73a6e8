"""Whatever we accept, other parsers read as the same method, name and arguments (numbers as IEEE doubles)."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings

from agen_authz.core.message.mcp import BodyLimits, parse
from agen_authz.core.model import Call
from tests import builders as build
from tests.differential.normal import Reading, differences, read_in_process
from tests.differential.odd import POSTED, Posted
from tests.differential.runtime import Runtime, build_reader, find_node, started

LIMITS = BodyLimits(request_bytes=1 << 20, json_depth=64)
# 2,000 examples by default; 100,000 by `--hypothesis-profile=thorough`.
EXAMPLES = 20 * settings().max_examples
Read = Callable[[bytes], dict[str, Reading | None]]


def check(posted: Posted, read: Read) -> bool:
    """Compare one body; tell whether we accepted it."""
    call = parse(build.request(posted.body, headers=posted.headers), "crm", LIMITS)
    if not isinstance(call, Call):
        return False
    for parser, reading in read(posted.body).items():
        assert reading is not None, f"{parser} refuses what we accept: {posted.body!r}"
        assert differences(call, reading) == [], f"{parser}: {posted.body!r}"
    return True


def check_many(read: Read, examples: int) -> None:
    seen: Counter[bool] = Counter()

    @given(POSTED)
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    def compare(posted: Posted) -> None:
        seen[check(posted, read)] += 1

    compare()
    # A generator that is refused throughout would prove nothing; one that is accepted throughout is not odd.
    assert 0.15 < seen[True] / seen.total() < 0.85, seen


def test_parsers_of_this_process_read_what_we_accept_as_we_do():
    check_many(read_in_process, settings().max_examples)


@pytest.fixture(scope="module")
def runtimes(tmp_path_factory) -> Iterator[list[Runtime]]:
    into = tmp_path_factory.mktemp("runtimes")
    with started("go", build_reader(into), into) as go, started("node", find_node(), into) as node:
        yield [go, node]


@pytest.mark.services
def test_go_and_node_read_what_we_accept_as_we_do(runtimes):
    check_many(lambda body: {**runtimes[0].read(body), **runtimes[1].read(body), **read_in_process(body)}, EXAMPLES)
