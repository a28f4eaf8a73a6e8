"""Whatever is handed in, authors get an answer: an import, a replay and a diff never end in an accident."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agen_authz.authoring.diff.change import list_changes
from agen_authz.authoring.draft import Draft
from agen_authz.authoring.import_agen.imported import import_policies
from agen_authz.authoring.replay.replay import replay
from agen_authz.build.policy import build_policy
from agen_authz.config.sections.policies import Policy as Written
from agen_authz.core.model import Effect, State
from tests.authoring.import_agen.test_imported import OPERATORS
from tests.authoring.rig import draft, event, lines
from tests.config.test_mistakes import GOOD

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
ATTRIBUTES = st.sampled_from(["ip", "amount", "roles", "date", "user.email", "user.claims.x", "args", "in", "a.b", ""])
OPS = st.sampled_from(sorted({condition["op"] for condition, _, _ in OPERATORS.values()}))
VALUES = st.sampled_from([condition["value"] for condition, _, _ in OPERATORS.values()]) | JSON
CONDITION = st.fixed_dictionaries(
    {"attribute": ATTRIBUTES | JSON, "op": OPS | JSON, "value": VALUES}, optional={"negate": st.booleans() | JSON}
)
LOGIC = st.sampled_from(["and", "or"]) | JSON
GROUP = st.fixed_dictionaries({"conditions": st.lists(CONDITION, max_size=3)}, optional={"conditionLogic": LOGIC})
AGEN = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=8) | JSON, "action": st.sampled_from(["deny", "step_up", "mask"]) | JSON},
    optional={
        "conditions": st.lists(CONDITION | GROUP | JSON, max_size=4) | JSON, "conditionLogic": LOGIC,
        "enabled": st.booleans() | JSON, "tools": st.lists(st.text(max_size=4)) | JSON, "message": JSON,
    },
)  # fmt: skip


@given(st.lists(AGEN | JSON, max_size=3) | AGEN | JSON)
def test_import_gives_policies_or_errors_for_each(document):
    written = document.get("policies", document) if isinstance(document, dict) else document
    result = import_policies(document)
    assert len(result.policies) + len(result.errors) == (len(written) if isinstance(written, list) else 1)
    assert all(error.isprintable() for error in result.errors)


@given(AGEN)
def test_what_is_imported_can_be_built_wherever_its_names_can_be(written):
    for policy in import_policies(written).policies:
        named = {**policy, "name": "p", "message": None, "tools": None}
        built = build_policy(Written.model_validate(named, strict=False))
        assert built.state in (State.SHADOW, State.DISABLED) and built.effect in (Effect.DENY, Effect.STEP_UP)


PLACES = [("principal", key) for key in event()["principal"]] + [("call", key) for key in event()["call"]]
PLACES += [("context", key) for key in event()["context"]] + [("", key) for key in event()]


@given(st.lists(st.tuples(st.sampled_from(PLACES), JSON), min_size=1, max_size=3), st.binary(max_size=20))
def test_replay_counts_every_line(changes, noise):
    recorded: dict[str, Any] = event()
    for (part, key), value in changes:
        inner = recorded[part] if part else recorded
        if isinstance(inner, dict):
            inner[key] = value
    told = replay(_good(), [*lines(recorded), noise.replace(b"\n", b"") + b"\n"])
    settled = told.same + told.skipped + told.undecided + told.unreadable + sum(told.changes.values())
    assert told.events == settled


POLICY = st.sampled_from(["a", "b", "c"]).flatmap(
    lambda name: st.builds(
        lambda state, tools, then: (name, f"{{name: {name}, state: {state}, tools: [{tools}], {then}}}"),
        st.sampled_from(["disabled", "shadow", "enforce"]),
        st.sampled_from(["crm/get_x", "'crm/*'", "'*/get_*'"]),
        st.sampled_from(["then: deny", "then: step_up, step_up: {acr: [x]}"]),
    )
)


@given(st.lists(POLICY, max_size=3, unique_by=lambda each: each[0]), POLICY)
def test_policy_that_is_added_never_widens_and_one_in_force_that_is_removed_does(held, added):
    name, text = added
    fewer = [each for each in held if each[0] != name]
    with TemporaryDirectory() as folder:
        old, new = (_draft_of(folder, each) for each in (fewer, [*fewer, added]))
    assert not any(each.widens for each in list_changes(old, new, []))
    assert any(each.widens for each in list_changes(new, old, [])) == ("state: enforce" in text)


def _draft_of(folder: str, held: list[tuple[str, str]]) -> Draft:
    return draft(Path(folder), GOOD + f"policies: [{', '.join(text for _, text in held)}]\n")


@cache
def _good() -> Draft:
    with TemporaryDirectory() as folder:
        return draft(Path(folder), GOOD)
