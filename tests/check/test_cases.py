"""Every case file, through Check as a whole: bytes in, what the client and the audit trail see out."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import builders as build
from tests.check.rig import Rig, Seen

FOLDER = Path(__file__).resolve().parent.parent / "cases" / "check"
CASES = [
    pytest.param(
        case,
        id=f"{path.stem}-{case['id']}",
        # A known defect: the case says what must be, and why it is not so yet.
        marks=[pytest.mark.xfail(strict=True, reason=case["defect"])] if "defect" in case else [],
    )
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]
FORMS = ("headers", "header_map")


def document_of(case: dict[str, Any]) -> dict[str, Any]:
    changes = dict(case.get("message", {}))
    write = build.modern if case.get("era") == "modern" else build.message
    return write(changes.pop("method", "tools/call"), changes.pop("params", None), **changes)


def body_of(case: dict[str, Any]) -> bytes:
    if "repeat" in case:
        return b" " * int(case["repeat"])
    if "json_list_of" in case:
        return b"[" + b",".join([b"1"] * int(case["json_list_of"])) + b"]"
    if "bytes" in case:
        return str(case["bytes"]).encode("latin-1")
    if "body" in case:
        return str(case["body"]).encode()
    return build.encode(document_of(case))


def answer(case: dict[str, Any], form: str) -> Seen:
    headers: dict[str, Any] = dict(build.headers_for(build.sign(build.claims()), document_of(case)))
    headers |= case.get("headers", {})
    pairs = [(name, value) for name, value in headers.items() if value is not None]
    if "repeat_header" in case:
        name, value = case["repeat_header"]
        pairs.append((name, value))
    raw = build.check_request(
        pairs,
        body_of(case),
        method=case.get("method", "POST"),
        path=case.get("path", "/crm/mcp"),
        host=case.get("host", "mcp.example.com"),
        form=form,
        is_text=case.get("is_text", False),
    )
    return Rig().check(raw)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("case", CASES)
def test_case_is_answered_as_its_file_says(case, form):
    expected = dict(case["expect"])
    wants_body = "code" in expected
    expected.setdefault("told", expected["reason"] if wants_body else None)
    seen = answer(case, form)
    actual = {"reason": seen.reason, "status": seen.status}
    if wants_body:
        actual["code"] = seen.code
    if "id" in seen.json:
        actual["id"] = seen.json["id"]
    assert {**actual, "told": seen.told, "is_allowed": seen.is_allowed} == {
        **expected,
        "is_allowed": expected["reason"] == "allowed",
    }


def test_case_names_are_unique_and_every_case_has_a_source():
    names = [str(parameter.id) for parameter in CASES]
    cases: list[Any] = [parameter.values[0] for parameter in CASES]
    assert sorted(set(names)) == sorted(names)
    assert [case["id"] for case in cases if not (case.get("source") and case.get("sentence"))] == []
