"""What a client gets whose call must be approved first: each dialect, in both eras."""

import json
from typing import Any

import pytest

from agen_authz.core.approval.parameters import ANSWER_KEY
from agen_authz.core.model import Effect, Issuer, Owner, Subject, TargetKind
from agen_authz.core.session import sign_session
from tests import builders as build
from tests.check.approval_rig import PAGE, Desk, asks, opens_urls
from tests.check.rig import Seen

SESSION = build.session("s1")
ANY = (*((kind, "crm/**") for kind in TargetKind),)
MESSAGE = 'Refunds need a "second" person. \u202e</b>'
AGAIN = "Make the same call again once it is approved; it can then be made once."
RESOURCE = {"uri": "customer://1"}


def ask(document: dict[str, Any], *, session: str | None = None, message: str | None = None) -> tuple[Seen, str]:
    desk = Desk(policies=(asks(selectors=ANY, message=message),))
    headers = {} if session is None else {"mcp-session-id": session}
    seen = desk.rig.post(document, headers=headers)
    (request,) = desk.requests
    return seen, PAGE + request.id


def test_modern_client_that_opens_urls_is_asked_for_input_and_gets_no_state():
    seen, page = ask(opens_urls(build.modern()), message=MESSAGE)
    params = {"mode": "url", "message": f"{MESSAGE} {AGAIN}", "url": page}
    assert (seen.status, seen.json) == (
        200,
        {
            "jsonrpc": "2.0",
            "id": 7,
            "result": {
                "resultType": "input_required",
                "inputRequests": {ANSWER_KEY: {"method": "elicitation/create", "params": params}},
            },
        },
    )


@pytest.mark.parametrize(
    ("method", "params"), [("resources/read", RESOURCE), ("prompts/get", {"name": "summarize"})], ids=["read", "prompt"]
)
def test_what_else_may_ask_for_input_does(method, params):
    seen, page = ask(opens_urls(build.modern(method, params)))
    assert seen.json["result"]["inputRequests"][ANSWER_KEY]["params"]["url"] == page


def declaring_session() -> str:
    """Make the id of a session whose client opens pages."""
    made = sign_session("s1", "crm", Owner(Issuer(build.ISSUER), Subject("ann")), build.SESSION_KEY, declares_url=True)
    assert made is not None
    return made


@pytest.mark.parametrize(
    "document", [build.message(), build.message("resources/read", RESOURCE)], ids=["tool", "resource"]
)
def test_legacy_session_that_declared_it_gets_the_error_that_names_urls(document):
    seen, page = ask(document, session=declaring_session(), message="Ask Bob.")
    error = seen.json["error"]
    pages = [{"mode": "url", "elicitationId": page.removeprefix(PAGE), "message": f"Ask Bob. {AGAIN}", "url": page}]
    assert (seen.status, seen.json["id"], error["code"], error["data"]["elicitations"]) == (200, 7, -32042, pages)
    assert error["data"]["reason"] == "approval_required"


@pytest.mark.parametrize("session", [None, SESSION], ids=["no session", "session"])
def test_other_legacy_client_gets_a_failed_result_that_names_the_page(session):
    seen, page = ask(build.message(), session=session)
    text = f"A person must approve this call. {AGAIN}"
    (content,) = seen.json["result"]["content"]
    assert (seen.status, seen.json["result"]["isError"], content["type"]) == (200, True, "text")
    assert page in content["text"] and AGAIN in content["text"] and text.partition(".")[0] in content["text"]
    assert "resultType" not in seen.json["result"]


def test_other_modern_client_gets_a_complete_result_that_has_failed():
    seen, page = ask(build.modern())
    result = seen.json["result"]
    assert (result["resultType"], result["isError"]) == ("complete", True)
    assert page in result["content"][0]["text"]


@pytest.mark.parametrize("modern", [True, False])
def test_method_without_a_result_that_can_fail_gets_an_error_that_names_the_page(modern):
    document = (build.modern if modern else build.message)("resources/read", RESOURCE)
    seen, page = ask(document)
    error = seen.json["error"]
    assert (seen.status, error["code"], error["data"]["urls"]) == (200, 40300, [page])
    assert page in error["message"]


@pytest.mark.parametrize("document", [build.message(), build.modern(), opens_urls(build.modern())])
def test_answer_holds_nothing_of_the_caller_or_the_call(document):
    document["params"]["arguments"] = {"id": 1, "mail": "cy@example.com"}
    seen, _ = ask(document)
    told = json.dumps(seen.json)
    assert not [each for each in ("ann", "acme", "cy@example.com", "Bearer", "get_customer") if each in told]
    assert (seen.header("cache-control"), seen.header("content-type")) == ("no-store", "application/json")


def test_several_pages_are_all_named_where_text_names_them():
    desk = Desk(policies=(asks("a", message="First."), asks("b", flow="legal", message="Second.")))
    text = desk.rig.post(build.message()).json["result"]["content"][0]["text"]
    assert all(PAGE + each.id in text for each in desk.requests) and "First." in text and "Second." in text


def test_policy_asks_for_an_approval_only_by_its_effect():
    desk = Desk(policies=(asks(effect=Effect.DENY),))
    assert (desk.rig.post(build.message()).reason, desk.requests) == ("policy_denied", [])
