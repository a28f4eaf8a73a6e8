"""Cases of `policy test`: read from every file of a directory, and compared with what is decided."""

from pathlib import Path

import pytest

from agen_authz.authoring.document import read_document
from agen_authz.authoring.test import Case, Tried, read_cases, try_case
from agen_authz.core.errors import Problem
from tests.authoring.rig import draft
from tests.builders import NOW, TRACE_KEY

CASE = "{name: %s, call: {server: crm, tool: get_customer}, claims: {roles: [analyst]}, expect: {%s}}"


def case(expect: str, name: str = "c") -> str:
    return f"cases:\n  - {CASE % (name, expect)}\n"


def save(folder, text, name="cases.yaml"):
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def only(folder: Path) -> tuple[Path, Case]:
    (found,) = read_cases(folder)
    assert not isinstance(found, Problem)
    return found


# name: (what is expected, what is said)
COMPARED = {
    "as expected": ("decision: allow", ""),
    "as expected in every word": ("decision: allow, reason: allowed, policy: watched", ""),
    "another decision": ("decision: deny", "expected decision `deny`, got `allow`"),
    "another reason": ("decision: allow, reason: unmapped", "expected reason `unmapped`, got `allowed`"),
    "another policy": ("decision: allow, policy: big", "expected policy `big`, applied: `watched`"),
    "everything else": (
        "decision: deny, reason: policy_denied, policy: big",
        "expected decision `deny`, got `allow`; expected reason `policy_denied`, got `allowed`; "
        "expected policy `big`, applied: `watched`",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("expect", "failure"), COMPARED.values(), ids=COMPARED)
def test_case_is_compared_in_all_that_it_expects(tmp_path, expect, failure):
    file = save(tmp_path, case(expect).replace("[analyst]", "[analyst], team: red"))
    path, read = only(tmp_path)
    tried = try_case(draft(tmp_path), path, read, now=NOW, digest_key=TRACE_KEY)
    assert (tried.file, tried.name, tried.failure) == (str(file), "c", failure)
    assert tried.trace is not None and tried.trace.root.text == "allow: allowed"


def test_condition_that_could_not_be_evaluated_is_reported(tmp_path):
    # The policy `watched` compares a claim with a text, and in shadow it denies nothing.
    save(tmp_path, case("decision: deny").replace("[analyst]", "[analyst], team: 7"))
    path, read = only(tmp_path)
    cause = "condition 1: `user.claims.team` is of another type than what it is compared with"
    expected = f"expected decision `deny`, got `allow`; policy `watched`, {cause}"
    assert try_case(draft(tmp_path), path, read, now=NOW, digest_key=TRACE_KEY).failure == expected


def test_expected_policy_that_did_not_apply_is_reported(tmp_path):
    save(tmp_path, case("decision: allow, policy: big").replace("get_customer", "get_x").replace("[analyst]", "[boss]"))
    path, read = only(tmp_path)
    expected = "expected decision `allow`, got `deny`; expected policy `big`, applied: none"
    assert try_case(draft(tmp_path), path, read, now=NOW, digest_key=TRACE_KEY).failure == expected


def test_case_that_cannot_be_decided_fails_and_says_why(tmp_path):
    save(tmp_path, case("decision: allow").replace("crm", "hr"))
    path, read = only(tmp_path)
    assert try_case(draft(tmp_path), path, read, now=NOW, digest_key=TRACE_KEY) == Tried(
        str(path), "c", "no resource is called `hr`"
    )


def test_files_of_every_folder_are_read_in_order(tmp_path):
    save(tmp_path, case("decision: allow", "second"), "b/x.yml")
    save(tmp_path, case("decision: allow", "first"), "a.yaml")
    save(tmp_path, "nothing of ours", "a.txt")
    assert [found[1].name for found in read_cases(tmp_path) if not isinstance(found, Problem)] == ["first", "second"]


# name: (what the file holds, the place, the message)
BROKEN = {
    "no YAML": ("cases: [", "", "line 1: cannot be read as YAML"),
    "no YAML, further down": ("cases:\n- a: b: c", "", "line 2: cannot be read as YAML"),
    "a key twice": ("cases: []\ncases: []", "", "line 1: cannot be read as YAML"),
    "a tag that nobody knows": ("cases: !!python/object:x.Y {}", "", "line 1: cannot be read as YAML"),
    "nothing": ("", "", "input should be a valid dictionary or instance of casefile"),
    "unknown key": (case("decision: allow, reasons: x"), "cases.0.expect.reasons", "extra inputs are not permitted"),
    "nothing expected": (case(""), "cases.0.expect.decision", "field required"),
    "a decision that there is not": (
        case("decision: permit"), "cases.0.expect.decision",
        "input should be 'allow', 'deny', 'step_up' or 'await_approval'",
    ),
    "no server": (case("decision: allow").replace("server: crm, ", ""), "cases.0.call.server", "field required"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message"), BROKEN.values(), ids=BROKEN)
def test_file_that_is_none_is_named_and_the_others_are_read(tmp_path, text, place, message):
    file = save(tmp_path, text)
    save(tmp_path, case("decision: allow"), "good.yaml")
    problem, found = read_cases(tmp_path)
    assert problem == Problem(str(file), None, place, message, "see docs/policies.md")
    assert not isinstance(found, Problem) and found[1].name == "c"


def test_directory_without_cases_is_a_problem(tmp_path):
    cure = "write cases into a file such as cases.yaml"
    assert list(read_cases(tmp_path)) == [Problem(str(tmp_path), None, "", "holds no case", cure)]


def test_file_without_cases_is_a_problem(tmp_path):
    file = save(tmp_path, "cases: []")
    cure = "write cases into a file such as cases.yaml"
    assert list(read_cases(tmp_path)) == [Problem(str(file), None, "", "holds no case", cure)]


def test_file_that_is_not_text_is_a_problem(tmp_path):
    file = tmp_path / "cases.yaml"
    file.write_bytes(b"\xff\xfe\xfa")
    assert list(read_cases(tmp_path)) == [Problem(str(file), None, "", "cannot be read", "see docs/policies.md")]


DOCUMENTS = {
    "date": ("2026-01-01", "2026-01-01"),
    "time": ("2026-01-01T10:00:00Z", "2026-01-01T10:00:00Z"),
    "numbers, words and nothing": ("[1, 1.5, true, null, x]", [1, 1.5, True, None, "x"]),
    "an anchor that is changed": (
        "a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}",
        {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}},
    ),
}


@pytest.mark.parametrize(("text", "expected"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_document_is_what_json_can_say(text, expected):
    assert read_document(text) == expected


@pytest.mark.parametrize("text", ["[" * 1500, "!!timestamp 2026-99-99"], ids=["deep", "a date that does not exist"])
def test_document_that_cannot_be_read_is_refused_without_quoting_it(text):
    with pytest.raises(ValueError, match=r"^cannot be read as YAML$"):
        read_document(text)
