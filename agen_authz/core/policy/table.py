"""Policies: what is denied or asks for more, under conditions; compiled into one index by what they name.

A policy whose conditions cannot be evaluated is an error, whatever its effect; a condition that is false next to
one that errs means that the policy does not apply. Selectors are matched without regard to case.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from agen_authz.core.cel.condition import Activation, Condition, Environment
from agen_authz.core.cel.cost import TEXT_UNIT_CHARS, work_out
from agen_authz.core.cel.tree import Path, spell_path
from agen_authz.core.memory import Memory
from agen_authz.core.message.target import fold_uri, open_uri
from agen_authz.core.model import Digest, Effect, Outcome, State, Target, TargetKind
from agen_authz.core.policy.ambiguity import UNSURE, glance, has_nul
from agen_authz.core.policy.attribute import ATTRIBUTES, VARIABLES, Attribute, Situation
from agen_authz.core.policy.selector import SelectorIndex, index_selectors
from agen_authz.core.policy.stepup import Demand
from agen_authz.core.policy.untold import CAUSES, find_untold
from agen_authz.core.policy.work import Work
from agen_authz.core.twin import fold_selector

_MAX_SEEN = 4096
_MAX_GROUPS = 256
_CHOSEN_BY_CALLERS = ("args", "inputs")
# What callers choose, and what is found in it.
_OPEN = frozenset({*_CHOSEN_BY_CALLERS, "detected"})
_URI = "tool.name"
_SPELLING = "its result for `tool.name` depends on how the URI is spelt"
_TOO_MUCH = "it would cost more than one decision may"
# What a posted response shares with the call that it answers.
_OF_CALLER = frozenset({"request.ip", "request.networks", "request.country", "request.host"}) | {
    name for name in ATTRIBUTES if name.startswith("user.")
}


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One policy; without selectors it names every tool, resource and prompt.

    If it asks for approval, `flow` is how, and `digest` names both as they are configured.
    """

    name: str
    state: State
    effect: Effect
    selectors: tuple[tuple[TargetKind, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    message: str | None = None
    demand: Demand | None = None
    flow: str = ""
    digest: Digest | None = None


class Match(Struct, frozen=True):
    """A policy that applies to a call, or that could not be evaluated for it; `cause` says why not."""

    policy: Policy
    outcome: Outcome
    cause: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Reader:
    """A condition, and what it reads of `args` and `inputs`: paths below each.

    Args:
        wholes: of all that it reads, what is in nothing else that it reads; by what these hold its cost is known.
        is_open: True if callers choose any of what it reads.
    """

    condition: Condition
    chosen_by_callers: tuple[tuple[str, tuple[Path, ...]], ...]
    wholes: tuple[Path, ...]
    is_open: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """The policies that name one target with their conditions, and every variable that these read."""

    policies: tuple[tuple[Policy, tuple[_Reader, ...]], ...]
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """A policy, and the servers (as patterns) that it may be about.

    Args:
        on_caller: its conditions about the caller alone.
        untold: what it needs and a posted response does not have, (untold.py); None if nothing.
    """

    policy: Policy
    servers: tuple[str, ...]
    on_caller: tuple[_Reader, ...]
    untold: str | None

    def may_apply(self, situation: Situation, activations: tuple[Activation, ...]) -> bool:
        """True unless it is about other servers, or a condition about the caller alone is false."""
        if not any(fnmatchcase(situation.call.server, server) for server in self.servers):
            return False
        is_watched = self.policy.state is State.SHADOW
        return all(
            _examine(reader, situation, activations, is_watched=is_watched) is not False for reader in self.on_caller
        )


@dataclass(frozen=True, slots=True, eq=False)
class PolicyTable:
    """Policies of the configuration and of each tenant, compiled; build it with `compile_policies`."""

    _indexes: Mapping[str, Mapping[TargetKind, SelectorIndex[tuple[int, Policy]]]]
    # Resources by the spelling in which a backend opens them, besides the one that the policy has.
    _opened: Mapping[str, SelectorIndex[tuple[int, Policy]]]
    _placed: Mapping[str, tuple[_Placed, ...]]
    # What conditions about the caller alone read.
    _of_caller: tuple[Attribute, ...]
    # Every variable that a condition reads.
    reads: frozenset[str] = frozenset()
    _seen: Memory[tuple[str, TargetKind, str, str], _Group] = field(default_factory=lambda: Memory(_MAX_SEEN))
    # Callers choose names without end, but these share few groups.
    _groups: Memory[tuple[int, ...], _Group] = field(default_factory=lambda: Memory(_MAX_GROUPS))

    def evaluate(self, situation: Situation) -> tuple[Match, ...]:
        """List the policies that apply to a situation or cannot be evaluated in it, in their order; total."""
        group = self._find(situation.principal.tenant, situation.target)
        return _evaluate(group, situation) if group.policies else ()

    def evaluate_without_arguments(self, situation: Situation) -> tuple[Match, ...]:
        """As `evaluate`, for a call that may be made with any arguments: policies that read these are left out."""
        group = self._find(situation.principal.tenant, situation.target)
        held = tuple(each for each in group.policies if not any(reader.is_open for reader in each[1]))
        return _evaluate(_Group(held, group.attributes), situation) if held else ()

    def evaluate_answer(self, situation: Situation) -> tuple[Match, ...]:
        """List the policies that cannot be evaluated for a posted response, in their order; total.

        A legacy client answers an elicitation with a response, which does not say what it answers: every
        policy that needs to know (untold.py) and is about anything of the server is meant, unless a condition about
        the caller alone is false.
        """
        held = [each for each in self._list_placed(situation.principal.tenant) if each.untold is not None]
        activations = _activate(self._of_caller, situation) if held else ()
        return tuple(
            Match(each.policy, Outcome.ERROR, CAUSES[each.untold or ""])
            for each in held
            if each.may_apply(situation, activations)
        )

    def list_possible(self, situation: Situation) -> tuple[Policy, ...]:
        """List the policies that may apply to anything of the call's server, in their order; total.

        For a call whose response may be about anything there. A policy is left out only if a condition about the
        caller alone is false; all others count as true.
        """
        activations = _activate(self._of_caller, situation)
        held = self._list_placed(situation.principal.tenant)
        return tuple(each.policy for each in held if each.may_apply(situation, activations))

    def _list_placed(self, tenant: str) -> Iterator[_Placed]:
        for owner in dict.fromkeys(("", tenant)):
            yield from self._placed.get(owner, ())

    def list_for(self, tenant: str, target: Target) -> tuple[Policy, ...]:
        """List the policies that name a target, whatever their conditions say."""
        return tuple(policy for policy, _ in self._find(tenant, target).policies)

    def _find(self, tenant: str, target: Target) -> _Group:
        # A tenant without policies of its own has those of everybody.
        tenant = tenant if tenant in self._indexes else ""
        key = (tenant, target.kind, target.server, target.name)
        known = self._seen.find(key)
        return known if known is not None else self._seen.keep(key, self._gather(tenant, target))

    def _gather(self, tenant: str, target: Target) -> _Group:
        name = fold_selector(f"{target.server}/{target.name}")
        found: dict[int, Policy] = {}
        for owner in dict.fromkeys(("", tenant)):
            found.update(self._indexes[owner][target.kind].find(name))
            if target.kind is TargetKind.RESOURCE:
                for spelling in spell_alike(target):
                    found.update(self._opened[owner].find(spelling))
        positions = tuple(sorted(found))
        known = self._groups.find(positions)
        if known is not None:
            return known
        if self._groups.is_full():
            # Or the groups that are forgotten would stay in memory.
            self._seen.clear()
        return self._groups.keep(positions, _group([found[position] for position in positions]))


def _group(policies: list[Policy]) -> _Group:
    names = dict.fromkeys(name for policy in policies for name in list_reads(policy))
    ready = tuple((policy, tuple(map(_prepare, policy.conditions))) for policy in policies)
    return _Group(ready, tuple(ATTRIBUTES[name] for name in names))


def _evaluate(group: _Group, situation: Situation) -> tuple[Match, ...]:
    activations = _activate(group.attributes, situation)
    matches = []
    for policy, readers in group.policies:
        outcome, cause = _try(readers, situation, activations, is_watched=policy.state is State.SHADOW)
        if outcome is not None:
            matches.append(Match(policy, outcome, cause))
    return tuple(matches)


@cache
def environment() -> Environment:
    """Return the one environment of all conditions."""
    return Environment(VARIABLES)


def list_reads(policy: Policy) -> list[str]:
    """List the variables that a policy's conditions read, each once."""
    roots = {path[0] for condition in policy.conditions for path in condition.tree.paths}
    return [name for name in ATTRIBUTES if name in roots]


def ask(condition: Condition, situation: Situation) -> bool | None:
    """Say what one condition says in a situation, by itself; None where it cannot be evaluated."""
    said = examine(condition, situation)
    return None if isinstance(said, str) else said


def examine(condition: Condition, situation: Situation) -> bool | str:
    """Say what one condition says in a situation, by itself; a sentence that says why if it cannot be evaluated."""
    roots = {path[0] for path in condition.tree.paths}
    attributes = tuple(attribute for name, attribute in ATTRIBUTES.items() if name in roots)
    alone = replace(situation, work=Work())
    return _examine(_prepare(condition), alone, _activate(attributes, alone), is_watched=False)


def _prepare(condition: Condition) -> _Reader:
    chosen = {
        root: tuple(sorted(path[1:] for path in condition.tree.paths if path[0] == root)) for root in _CHOSEN_BY_CALLERS
    }
    paths = condition.tree.paths
    wholes = sorted(path for path in paths if not any(path[:length] in paths for length in range(1, len(path))))
    is_open = not _OPEN.isdisjoint(path[0] for path in paths)
    return _Reader(condition, tuple((root, paths) for root, paths in chosen.items() if paths), tuple(wholes), is_open)


def _activate(attributes: tuple[Attribute, ...], situation: Situation) -> tuple[Activation, ...]:
    """Prepare what conditions read; once more with the URI as a backend opens it, if it is another."""
    activation = environment().activate(_read(attributes, situation))
    target = situation.target
    if target.kind is not TargetKind.RESOURCE or not any(each.name == _URI for each in attributes):
        return (activation,)
    opened = open_uri(target.name)
    if opened == target.name:
        return (activation,)
    other = replace(situation, target=replace(target, name=opened))
    return (activation, environment().activate(_read(attributes, other)))


def _read(attributes: tuple[Attribute, ...], situation: Situation) -> dict[str, object]:
    values = {}
    for attribute in attributes:
        found = attribute.read(situation)
        # cel-cpp's binding ends a string at its first NUL: what holds one is left out, so that it cannot be read.
        if found is not None and not (attribute.may_hold_nul(situation) and has_nul(found)):
            values[attribute.name] = found
    return values


def _try(
    readers: tuple[_Reader, ...], situation: Situation, activations: tuple[Activation, ...], *, is_watched: bool
) -> tuple[Outcome | None, str]:
    cause = ""
    for position, reader in enumerate(readers):
        said = _examine(reader, situation, activations, is_watched=is_watched)
        if said is False:
            return None, ""
        if isinstance(said, str):
            cause = cause or f"condition {position + 1}: {said}"
    return (Outcome.ERROR if cause else Outcome.APPLIES), cause


def _examine(
    reader: _Reader, situation: Situation, activations: tuple[Activation, ...], *, is_watched: bool
) -> bool | str:
    """Say what a condition says, in these steps:

    1. what it reads of the call means one thing to every backend
    2. a plain condition needs no library
    3. what it costs is within what one decision may cost
    4. the library evaluates it
    5. it says the same of every spelling of the URI
    """
    condition = reader.condition
    # 1.
    if reader.chosen_by_callers:
        doubt = _find_doubt(reader, situation)
        if doubt is not None:
            return doubt
    # 2.
    plain = None if condition.plain is None else condition.plain(activations[0].values)
    # 3.
    if plain is not None:
        said: bool | str = plain
    elif situation.work.spend(_cost(reader, situation, activations[0]), is_watched=is_watched):
        # 4.
        said = condition.examine(activations[0])
    else:
        return _TOO_MUCH
    # 5.
    if len(activations) > 1 and not isinstance(said, str) and condition.evaluate(activations[1]) is not said:
        # It is not known which spelling the backend looks at.
        return _SPELLING
    return said


def _find_doubt(reader: _Reader, situation: Situation) -> str | None:
    call, loose = situation.call, reader.condition.tree.loose
    for root, paths in reader.chosen_by_callers:
        given = (call.arguments if root == "args" else call.inputs) or {}
        for path in paths:
            doubt = glance(given, path)
            if doubt is not None:
                doubt = situation.work.look.follow(given, path, root).doubt if doubt == UNSURE else doubt
            if doubt is not None:
                return f"`{spell_path((root, *path))}` {doubt}"
        doubt = situation.work.look.find_loose_twin(given, loose, root) if loose else None
        if doubt is not None:
            return f"`{root}` {doubt}"
    return None


def _cost(reader: _Reader, situation: Situation, activation: Activation) -> float:
    cost = reader.condition.cost
    return (
        work_out(cost, sum(_size(path, situation, activation) for path in reader.wholes)) if any(cost[1:]) else cost[0]
    )


def _size(path: Path, situation: Situation, activation: Activation) -> int:
    root, call, look = path[0], situation.call, situation.work.look
    if root in _CHOSEN_BY_CALLERS:
        return look.follow((call.arguments if root == "args" else call.inputs) or {}, path[1:], root).size
    value = activation.values.get(root)
    if isinstance(value, dict):
        return look.follow(value, path[1:], root).size
    if isinstance(value, list):
        return len(value) + sum(map(len, value)) // TEXT_UNIT_CHARS
    return 1 + (len(value) // TEXT_UNIT_CHARS if isinstance(value, str) else 0)


def compile_policies(policies: Iterable[Policy], tenants: Mapping[str, Iterable[Policy]] | None = None) -> PolicyTable:
    """Compile policies and what tenants add to them; disabled ones are left out."""
    position = 0
    indexes, opened, placed = {}, {}, {}
    reads: set[str] = set()
    for owner, listed in {"": policies, **(tenants or {})}.items():
        held = tuple(listed)
        by_kind: dict[TargetKind, list[tuple[str, tuple[int, Policy]]]] = {kind: [] for kind in TargetKind}
        for policy in held:
            position += 1
            if policy.state is not State.DISABLED:
                reads.update(list_reads(policy))
                for kind, selector in policy.selectors or [(kind, "**") for kind in TargetKind]:
                    by_kind[kind].append((fold_selector(selector), (position, policy)))
        indexes[owner] = {kind: index_selectors(entries) for kind, entries in by_kind.items()}
        uris = by_kind[TargetKind.RESOURCE]
        opened[owner] = index_selectors((open_selector(selector), entry) for selector, entry in uris)
        placed[owner] = tuple(_place(policy) for policy in held if policy.state is not State.DISABLED)
    of_caller = tuple(ATTRIBUTES[name] for name in sorted(reads & _OF_CALLER))
    return PolicyTable(indexes, opened, placed, of_caller, frozenset(reads))


def open_selector(selector: str) -> str:
    """Spell a selector of resources (`server/URI`) as `spell_alike` spells what it names."""
    server, _, uri = selector.partition("/")
    return f"{fold_selector(server)}/{fold_uri(uri)}"


def spell_alike(target: Target) -> tuple[str, str]:
    """Spell a resource as a backend would open it: `docs://hr/**` names `docs://hr/`, and so `docs://hr`."""
    spelling = open_selector(f"{target.server}/{target.name}")
    return (spelling, f"{spelling}/")


def _place(policy: Policy) -> _Placed:
    servers = dict.fromkeys(fold_selector(selector).partition("/")[0] for _, selector in policy.selectors)
    on_caller = [each for each in policy.conditions if {path[0] for path in each.tree.paths} <= _OF_CALLER]
    untold = find_untold(list_reads(policy), policy.effect)
    return _Placed(policy, tuple(servers) or ("*",), tuple(map(_prepare, on_caller)), untold)
