"""Random policies, tenants and calls, small enough that they meet often; and what each condition must say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from agen_authz.core.cel.condition import Condition
from agen_authz.core.model import Call, Context, Effect, Facts, Principal, State, Target, TargetKind
from agen_authz.core.policy.access import AccessRule, Basis, compile_access
from agen_authz.core.policy.stepup import Demand
from agen_authz.core.policy.table import Policy, environment
from tests import builders as build

Said = bool | None
ACCESS = compile_access(
    Basis.ROLES,
    [AccessRule("all", tuple((kind, "crm/**") for kind in TargetKind), frozenset({"analyst", "admin"}))],
)


def _amount(situation: tuple[Call, Principal]) -> Said:
    arguments = situation[0].arguments or {}
    amount = arguments.get("amount")
    # A twin, or a number that another backend reads as its neighbour, or no number at all: nobody can say.
    if "Amount" in arguments or isinstance(amount, str | None) or amount == 2**53 + 1:
        return None
    assert isinstance(amount, int | float)
    return amount > 1000


# Each condition with what it must say, written down a second time.
CONDITIONS: Mapping[str, Callable[[tuple[Call, Principal]], Said]] = {
    "true": lambda _: True,
    "false": lambda _: False,
    "args.nosuch == 1": lambda _: None,
    "1 / (size(args) - size(args)) == 1": lambda _: None,
    "user.claims.score": lambda _: None,
    "args.amount > 1000.0": _amount,
    '"admin" in user.roles': lambda situation: "admin" in situation[1].roles,
    'user.acr == "urn:mfa"': lambda situation: situation[1].acr == "urn:mfa" if situation[1].acr else None,
}
# What errs whatever the call is.
ERRING = ("args.nosuch == 1", "1 / (size(args) - size(args)) == 1", "user.claims.score")
SELECTORS = (
    (TargetKind.TOOL, "crm/get_*"), (TargetKind.TOOL, "crm/refund"), (TargetKind.TOOL, "*/REF*"),
    (TargetKind.TOOL, "billing/**"), (TargetKind.PROMPT, "crm/*"), (TargetKind.RESOURCE, "crm/customer://**"),
)  # fmt: skip
DEMANDS = (
    Demand(scope="big"), Demand(acr=("urn:mfa",)), Demand(acr=("urn:hw", "urn:mfa")), Demand(amr=("hwk",)),
    Demand(max_age_s=60.0), Demand(max_age_s=900.0), Demand(max_age_s=900.0, scope="bigger"),
)  # fmt: skip
TARGETS = (
    *(Target(TargetKind.TOOL, "crm", name) for name in ("get_customer", "refund", "Refund")),
    Target(TargetKind.PROMPT, "crm", "summarize"),
    Target(TargetKind.RESOURCE, "crm", "customer://1"),
)
ARGUMENTS: tuple[dict[str, Any], ...] = (
    {}, {"amount": 5}, {"amount": 5000.0}, {"amount": "5000"}, {"amount": 5, "Amount": 5000}, {"amount": 2**53 + 1},
)  # fmt: skip
TENANTS = ("acme", "other", "")


def compiled(text: str) -> Condition:
    """Compile a condition that is none of the mistakes."""
    condition = environment().compile(text)
    assert isinstance(condition, Condition), condition
    return condition


# What depends on the call is drawn twice as often as what does not.
_CONDITIONS = st.sampled_from([compiled(text) for text in (*CONDITIONS, *list(CONDITIONS)[len(ERRING) + 2 :])])
# What names everything and always applies meets the most.
_OFTEN_NONE: st.SearchStrategy[tuple[Any, ...]] = st.just(())


@st.composite
def _policy(draw: st.DrawFn, states: tuple[State, ...], effects: tuple[Effect, ...]) -> Policy:
    effect = draw(st.sampled_from(effects))
    return Policy(
        name="",
        state=draw(st.sampled_from(states)),
        effect=effect,
        selectors=draw(_OFTEN_NONE | st.lists(st.sampled_from(SELECTORS), max_size=2).map(tuple)),
        conditions=draw(_OFTEN_NONE | st.lists(_CONDITIONS, min_size=1, max_size=2).map(tuple)),
        message=draw(st.sampled_from((None, "No."))),
        demand=draw(st.sampled_from(DEMANDS)) if effect is Effect.STEP_UP else None,
    )


def policies(
    prefix: str = "p",
    *,
    states: tuple[State, ...] = tuple(State),
    effects: tuple[Effect, ...] = (Effect.DENY, Effect.STEP_UP, Effect.REQUIRE_APPROVAL),
    max_size: int = 4,
) -> st.SearchStrategy[tuple[Policy, ...]]:
    """Draw policies whose names are `prefix` and a number."""
    drawn = st.lists(_policy(states, effects), max_size=max_size)
    return drawn.map(lambda each: tuple(replace(policy, name=f"{prefix}{at}") for at, policy in enumerate(each)))


@dataclass(frozen=True, slots=True)
class Scene:
    """A call, who makes it, and what is known next to it."""

    call: Call
    principal: Principal
    facts: Facts


@st.composite
def _scene(draw: st.DrawFn) -> Scene:
    targets = draw(st.lists(st.sampled_from(TARGETS), min_size=1, max_size=2, unique=True))
    principal = build.principal(
        roles=draw(st.sampled_from((("analyst",), ("analyst", "admin"), ("admin",), ("guest",)))),
        tenant=draw(st.sampled_from(TENANTS)),
        scopes=draw(st.sampled_from((("mcp:tools",), ("mcp:tools", "big", "bigger")))),
        acr=draw(st.sampled_from(("", "urn:pwd", "urn:mfa"))),
        amr=draw(st.sampled_from(((), ("pwd", "hwk")))),
        auth_time=draw(st.sampled_from((None, build.NOW - 10, build.NOW - 500, build.NOW - 5000))),
        claims={"score": 7},
    )
    call = build.call("tools/call", *targets, arguments=draw(st.sampled_from(ARGUMENTS)))
    return Scene(call, principal, Facts(build.NOW, None, Context("198.51.100.7", (), None, "phone/1"), "mcp"))


SCENES = _scene()
