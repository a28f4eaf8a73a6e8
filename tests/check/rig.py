"""A whole `CheckServicer` on fakes: bytes in, what the client would see out."""

import asyncio
import json
import types
from collections.abc import Coroutine, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.catalogue import CurrentCatalogue
from agen_authz.core.approval.asking import ApprovalRules
from agen_authz.core.http.context import Perimeter
from agen_authz.core.message.mcp import BodyLimits
from agen_authz.core.model import Resource, Revoked
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.policy.access import AccessTable
from agen_authz.core.policy.table import Policy, PolicyTable, compile_policies
from agen_authz.core.signature import Signer
from agen_authz.outside import Ports
from agen_authz.servers.ext_authz import CheckServicer
from agen_authz.token_cache import TokenCache
from agen_authz.waiting import Bulkhead
from agen_authz.wire.template import Templates
from tests import builders as build
from tests.approval_fakes import MemoryApprovals
from tests.fakes import (
    CountingMetrics,
    FakeClock,
    ListSink,
    MemoryCatalogue,
    MemoryKeys,
    MemoryTasks,
    SeqEntropy,
)
from tests.rules import NO_APPROVALS, OFF, build_rules, protect


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client, its backend and the audit trail see of one answer."""

    is_allowed: bool
    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = ()
    removed: tuple[str, ...] = ()
    added: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    sealed: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body) if self.body else {}

    @property
    def code(self) -> int | None:
        return self.json.get("error", {}).get("code")

    @property
    def told(self) -> str | None:
        return self.json.get("error", {}).get("data", {}).get("reason")

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)


def default_keys() -> MemoryKeys:
    """Hold one key of each of two providers, both under the same `kid`."""
    return MemoryKeys.holding(idp=[build.public_key(build.ec_key())], other=[build.public_key(build.ec_key("other"))])


@dataclass
class Rig:
    """A servicer and everything it stands on."""

    resources: tuple[Resource, ...] = field(default_factory=lambda: (build.resource(), build.billing()))
    access: AccessTable = field(default_factory=build.access)
    policies: PolicyTable = field(default_factory=lambda: compile_policies([]))
    perimeter: Perimeter = field(default_factory=Perimeter)
    revoked: Revoked = field(default_factory=Revoked)
    signers: Mapping[str, Signer] = field(default_factory=dict)
    limits: BodyLimits = field(default_factory=lambda: BodyLimits(65536, 32, json_values=10_000))
    in_flight: int = 8
    keeps_claims: bool = True
    filters_lists: bool = False
    pinning: Pinning = Pinning.OFF
    checks_arguments: bool = False
    protections: tuple[Policy, ...] = ()
    unruled_sample: float = 0.0
    # What the store knows of tools when the first call comes.
    catalogue: Any = field(default_factory=MemoryCatalogue)
    tasks: Any = field(default_factory=MemoryTasks)
    approvals: Any = field(default_factory=MemoryApprovals)
    approval_rules: ApprovalRules = NO_APPROVALS
    sleep: Any = asyncio.sleep
    # More than a test asks: each has its event, unless a test says otherwise.
    denials_per_second: int = 1_000_000
    clock: Any = field(default_factory=lambda: FakeClock(build.NOW))
    entropy: Any = field(default_factory=SeqEntropy)
    keys: Any = field(default_factory=default_keys)
    audit: Any = field(default_factory=ListSink)
    metrics: Any = field(default_factory=CountingMetrics)
    tokens: TokenCache = field(default_factory=lambda: TokenCache(100, 64 << 20))

    def __post_init__(self) -> None:
        self.rules = build_rules(
            self.resources,
            self.access,
            self.policies,
            limits=self.limits,
            revoked=self.revoked,
            perimeter=self.perimeter,
            signers=self.signers,
            denials_per_second=self.denials_per_second,
            keeps_claims=self.keeps_claims,
            filters_lists=self.filters_lists,
            pinning=self.pinning,
            checks_arguments=self.checks_arguments,
            unruled_sample=self.unruled_sample,
            approvals=self.approval_rules,
            **protect(*self.protections),
        )
        self.ports = Ports(
            self.clock,
            self.entropy,
            self.keys,
            self.audit,
            self.metrics,
            CurrentCatalogue(self.catalogue, self.clock),
            self.tasks,
            self.tokens,
            Templates(OFF),
            Bulkhead(self.in_flight),
            approvals=self.approvals,
            sleep=self.sleep,
        )
        if self.pinning is not Pinning.OFF or self.checks_arguments:
            asyncio.run(self.ports.catalogue.refresh())
        self.servicer = CheckServicer(self.rules, self.ports)

    def check(self, raw: bytes, remaining_s: float | None = 0.2) -> Seen:
        """Have a CheckRequest decided, and read the answer as Envoy would."""
        answered = drive(self.servicer.check(raw, remaining_s))
        events = getattr(self.audit, "events", [])
        return read_answer(answered, events[-1]["reason"] if events else "")

    def post(self, document: Any, token: str | None = None, *, headers: Mapping[str, str | None] | None = None) -> Seen:
        """Post a JSON document as the analyst, or with another token; a header of None is left out."""
        written: dict[str, str | None] = dict(build.headers_for(token or build.sign(build.claims()), document))
        written |= headers or {}
        kept = {name: value for name, value in written.items() if value is not None}
        return self.check(build.check_request(kept, build.encode(document)))


def read_answer(raw: bytes, reason: str = "") -> Seen:
    """Read a CheckResponse as Envoy does: `status` alone decides."""
    response = pb.CheckResponse.FromString(raw)
    told = response.dynamic_metadata
    assert told["agen.inspect"] == OFF or ("agen.proc" in told and response.status.code == 0)
    if response.status.code == 0:
        assert response.WhichOneof("http_response") == "ok_response"
        allowed = response.ok_response
        assert all(not option.append.value for option in allowed.headers)
        return Seen(
            is_allowed=True,
            status=200,
            body="",
            headers=tuple((option.header.key, option.header.value) for option in allowed.headers),
            removed=tuple(allowed.headers_to_remove),
            added=tuple((option.header.key, option.header.value) for option in allowed.response_headers_to_add),
            reason=reason,
            sealed=str(told["agen.proc"]) if "agen.proc" in told else "",
        )
    assert response.WhichOneof("http_response") == "denied_response"
    denied = response.denied_response
    # A denied header with `append` set is dropped by Envoy.
    assert all(not option.HasField("append") for option in denied.headers)
    pairs = tuple((option.header.key, option.header.value) for option in denied.headers)
    return Seen(is_allowed=False, status=denied.status.code, body=denied.body, headers=pairs, reason=reason)


@types.coroutine
def _go_on(coroutine: Coroutine[Any, Any, bytes]) -> Generator[Any, Any, bytes]:
    fault: BaseException | None = None
    while True:
        try:
            waited_for = coroutine.send(None) if fault is None else coroutine.throw(fault)
        except StopIteration as stop:
            return bytes(stop.value)
        fault = None
        try:
            yield waited_for
        except BaseException as exc:  # noqa: BLE001 a time that is up arrives here, and belongs to the Check
            fault = exc


async def _finish(coroutine: Coroutine[Any, Any, bytes]) -> bytes:
    return await _go_on(coroutine)


def drive(coroutine: Coroutine[Any, Any, bytes]) -> bytes:
    """Run a Check as the engines do: at once, and on an event loop from its first wait on."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return bytes(stop.value)
    return asyncio.run(_finish(coroutine))
