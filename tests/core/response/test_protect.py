"""Data protection of one response: it comes last, is noted, and withholds what it cannot do; and what passes unread."""

from typing import Any

import pytest

from agen_authz.core.arguments.approved import SchemaCompiler
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Receipt, Rule, Unmaskable
from agen_authz.core.masking.selection import Detectors
from agen_authz.core.model import Envelope, Inspection, Json, Shape, Target, TargetKind
from agen_authz.core.pinning.catalogue import UNREAD, Catalogue
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.reason import Reason
from agen_authz.core.response.message import MaskedValues, Passed, SawDefinitions, Withheld
from agen_authz.core.response.protect import Mask, Safeguard, protect
from agen_authz.core.response.terms import Grounds, build_strict_terms, build_terms
from agen_authz.core.response.unread import is_watched, may_pass_unread
from tests import builders as build
from tests.core.response.test_terms import CALLED, LIMITS, NEW_TASK, TOOLS, answer, approving, inspection
from tests.rules import build_rules

RECEIPT = Receipt("r", "email", Style.REDACT, "/result/structuredContent/a")


def swap(message: dict[str, Json]) -> tuple[Json, tuple[Receipt, ...]]:
    """Mask every text `secret` in a result."""
    result = message.get("result")
    if not isinstance(result, dict) or "secret" not in str(result):
        return message, ()
    return {**message, "result": _swap(result)}, (RECEIPT,)


def _swap(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _swap(each) for key, each in value.items()}
    return "[X]" if value == "secret" else value


def refuse(detail: str) -> Mask:
    def mask(_: dict[str, Json]) -> Any:
        raise Unmaskable(detail)

    return mask


def inspect(message: Any, mask: Mask | None = swap, asked: Inspection | None = None, **more: Any) -> Any:
    catalogue: Catalogue = more.pop("catalogue", UNREAD)
    values: dict[str, Any] = {"filters_lists": True, "pinning": Pinning.OFF} | more
    rules = build_rules((build.resource(),), **values)
    outputs = SchemaCompiler(part="outputSchema")
    grounds = Grounds(asked or inspection("tools/call", target=CALLED), rules, catalogue, build.NOW, mask, outputs)
    return build_terms(grounds, LIMITS).inspect(message)


def test_message_is_masked_and_noted():
    assert inspect(answer(a="secret")) == Passed(answer(a="[X]"), (MaskedValues((RECEIPT,)),))


def test_message_without_anything_to_mask_is_the_same_object():
    message = answer(a="b")
    passed = inspect(message)
    assert (passed.message is message, passed.notes) == (True, ())


def test_call_without_rules_is_not_masked():
    assert inspect(answer(a="secret"), None) == Passed(answer(a="secret"))


UNMASKED = {"too deep": Reason.UNMASKABLE, "masking_incomplete": Reason.MASKING_INCOMPLETE}


@pytest.mark.parametrize(("detail", "reason"), UNMASKED.items(), ids=UNMASKED)
def test_message_that_cannot_be_masked_is_withheld(detail: str, reason: Reason):
    assert inspect(answer(a="b"), refuse(detail)) == Withheld(reason, detail)


def test_what_is_no_message_is_withheld():
    assert protect(Passed([]), Safeguard(swap)) == Withheld(Reason.UNMASKABLE, "not an object")


def test_what_is_noted_and_listed_comes_before_masks():
    tools: list[Json] = [{"name": "get_customer", "description": "secret"}, {"name": "delete_customer"}]
    passed = inspect(answer(tools=tools, a="secret"), asked=inspection(), pinning=Pinning.OBSERVE)
    assert passed == Passed(
        answer(tools=[tools[0]], a="[X]"), (SawDefinitions("crm", tuple(tools)), MaskedValues((RECEIPT,))),
    )  # fmt: skip


def test_what_is_withheld_anyway_is_not_masked():
    refused = inspect(NEW_TASK, refuse("x"))
    assert isinstance(refused, Withheld) and refused.reason is Reason.TASK_UNBOUND


@pytest.mark.parametrize("asked", [None, inspection("tools/call")])
def test_call_that_is_not_known_is_masked(asked: Inspection | None):
    terms = build_strict_terms(asked, b"s" * 32, LIMITS, swap)
    passed = terms.inspect(answer(tools=TOOLS, a="secret"))
    assert passed == Passed(answer(tools=[], a="[X]"), (MaskedValues((RECEIPT,)),))
    assert isinstance(build_strict_terms(asked, b"s" * 32, LIMITS, refuse("x")).inspect(answer()), Withheld)
    structured = terms.inspect(answer(structuredContent={"a": "secret"}))
    assert isinstance(structured, Passed) and structured.message == answer(structuredContent={"a": "[X]"})
    assert terms.passes_unread is False


# ---- output schemas --------------------------------------------------------------------------------------

OUTPUT = {"type": "object", "properties": {"a": {"enum": ["secret"]}}}
DEFINITION = {"name": "get_customer", "outputSchema": OUTPUT}
PLAIN = {"name": "get_customer"}
OUTPUTS = {
    "approved": (approving(DEFINITION), CALLED, {}),
    "not approved": (approving(), CALLED, {"a": "[X]"}),
    "of another tool": (approving(DEFINITION), Target(TargetKind.TOOL, "crm", "other"), {"a": "[X]"}),
    "without a tool": (approving(DEFINITION), None, {"a": "[X]"}),
    "without a schema": (approving(PLAIN), CALLED, {"a": "[X]"}),
}


@pytest.mark.parametrize(("catalogue", "target", "structured"), OUTPUTS.values(), ids=OUTPUTS)
def test_masked_result_fits_the_schema_that_is_approved_for_its_tool(
    catalogue: Catalogue, target: Any, structured: Any
):
    message = answer(structuredContent={"a": "secret"}, content=[])
    passed = inspect(message, asked=inspection("tools/call", target=target), catalogue=catalogue)
    assert passed.message["result"] == {"structuredContent": structured, "content": []}


def test_masked_result_of_a_schema_that_cannot_be_used_is_an_error():
    catalogue = approving({"name": "get_customer", "outputSchema": {"$ref": "https://x"}})
    passed = inspect(answer(structuredContent={"a": "secret"}), catalogue=catalogue)
    assert passed.message["result"]["isError"] is True


# ---- what passes unread ----------------------------------------------------------------------------------


def rule(name: str, **changes: Any) -> Rule:
    return Rule(name, Detectors(), **changes)


RULES = {
    "strict": rule("strict"), "lenient": rule("lenient", passes_unreadable=True),
    "shadow": rule("shadow", is_enforced=False),
}  # fmt: skip
STREAM = Envelope(shape=Shape.STREAM)
PASSES = {
    "lenient": (inspection("tools/call", protections=("lenient",)), {}, True, False),
    "lenient, and one in shadow": (inspection("tools/call", protections=("lenient", "shadow")), {}, True, False),
    "in shadow only": (inspection("tools/call", protections=("shadow",)), {}, True, True),
    "lenient and strict": (inspection("tools/call", protections=("lenient", "strict")), {}, False, False),
    "a rule that is not here": (inspection("tools/call", protections=("other",)), {}, False, False),
    "pins": (inspection("tools/call", protections=("shadow",)), {"pinning": Pinning.ENFORCE}, False, False),
    "a list": (inspection("tools/list", protections=("shadow",)), {"filters_lists": True}, False, False),
    "a pinned list": (inspection("tools/list", protections=("lenient",)), {"pinning": Pinning.OBSERVE}, False, False),
    "a list that is neither": (inspection("tools/list", protections=("lenient",)), {}, True, False),
    "initialize": (inspection("initialize", protections=("lenient",)), {}, False, False),
    "a task that may be made": (inspection("tools/call", protections=("lenient",), makes_task=True), {}, False, False),
    "a task": (inspection("tasks/get", protections=("lenient",), task_ids=("t",)), {}, False, False),
    "a stream": (inspection("GET", protections=("shadow",), envelope=STREAM), {}, False, False),
}  # fmt: skip


@pytest.mark.parametrize(("asked", "changes", "passes", "is_only_watched"), PASSES.values(), ids=PASSES)
def test_response_passes_unread_if_all_enforced_rules_say_so_and_nothing_else_reads_it(
    asked: Inspection, changes: Any, passes: bool, is_only_watched: bool
):
    rules = build_rules((build.resource(),), **({"protection_rules": RULES} | changes))
    assert (may_pass_unread(asked, rules), is_watched(asked, rules)) == (passes, is_only_watched)
    assert build_terms(Grounds(asked, rules, UNREAD, build.NOW), LIMITS).passes_unread is passes


def test_response_without_rules_is_not_watched():
    assert is_watched(inspection("tools/call"), build_rules((build.resource(),))) is False
