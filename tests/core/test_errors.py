import pytest

from agen_authz.core.errors import ConfigError, Problem, Unavailable
from agen_authz.core.reason import HIDDEN, REFUSALS, Reason

PROBLEM = Problem("agen.yaml", 3, "access.rules[0].allow", "the list is empty", "name a role")


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (PROBLEM, "agen.yaml:3: access.rules[0].allow: the list is empty; name a role"),
        (Problem("agen.yaml", None, "", "no file", "make one"), "agen.yaml: no file; make one"),
    ],
    ids=["with a place", "without"],
)
def test_problem_says_where_what_and_what_to_do(problem, text):
    assert str(problem) == text


def test_configuration_error_tells_every_problem():
    error = ConfigError((PROBLEM, PROBLEM))
    assert (str(error), error.problems) == (f"{PROBLEM}\n{PROBLEM}", (PROBLEM, PROBLEM))


def test_unavailable_names_what_did_not_answer():
    error = Unavailable(Reason.STORE_UNAVAILABLE, "sqlite")
    assert (str(error), error.reason, error.name) == (
        "store_unavailable: `sqlite`", Reason.STORE_UNAVAILABLE, "sqlite",
    )  # fmt: skip


def test_every_reason_is_answered_in_one_way():
    assert set(REFUSALS) == set(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_refusal_is_a_sentence_that_no_client_misreads(reason):
    refusal = REFUSALS[reason]
    # Clients find `error=` and `scope=` with unanchored patterns; a quotation mark would end the description.
    assert refusal.message.endswith(".") and refusal.message.isascii() and refusal.message.isprintable()
    assert not any(mark in refusal.message for mark in ('"', "\\", "error=", "scope="))
    assert refusal.remedy


def test_what_is_hidden_is_answered_alike():
    answers = {(REFUSALS[reason].status, REFUSALS[reason].code, REFUSALS[reason].message) for reason in HIDDEN}
    told = REFUSALS[Reason.UNKNOWN_TARGET]
    assert answers == {(told.status, told.code, told.message)}


@pytest.mark.parametrize("reason", [each for each in Reason if REFUSALS[each].status == 503])
def test_what_is_unavailable_has_one_code(reason):
    assert REFUSALS[reason].code == 50300


@pytest.mark.parametrize("reason", [each for each in Reason if REFUSALS[each].code])
def test_code_is_of_json_rpc_or_outside_its_reserved_range(reason):
    of_json_rpc = {-32700, -32600, -32601, -32602, -32020, -32021, -32022}
    code = REFUSALS[reason].code
    assert code in of_json_rpc or not -32768 <= code <= -32000
