"""Tools of the everything server that ask the client: on the stream (2025-11-25) or in rounds (2026-07-28)."""

from collections.abc import Mapping
from typing import Any

import mcp.types as mcp
from mcp import MCPError

from tests.peers.everything_tools import Asked, Offer, Result, say

_INVALID_PARAMS = -32602
_TEXT: Mapping[str, Any] = {"type": "string"}


def _form(required: bool = True, **properties: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    return schema | {"required": list(properties)} if required else schema


def elicit(message: str, schema: dict[str, Any]) -> mcp.ElicitRequest:
    """Ask the client's user."""
    return mcp.ElicitRequest(params=mcp.ElicitRequestFormParams(message=message, requested_schema=schema))


def _sample(question: str, max_tokens: int) -> mcp.CreateMessageRequest:
    messages = [mcp.SamplingMessage(role="user", content=mcp.TextContent(text=question))]
    return mcp.CreateMessageRequest(params=mcp.CreateMessageRequestParams(messages=messages, max_tokens=max_tokens))


# ---- on the stream: 2025-11-25 -------------------------------------------------------------------------


async def _ask_model(asked: Asked, params: mcp.CallToolRequestParams) -> Result:
    question = str((params.arguments or {})["prompt"])
    messages = [mcp.SamplingMessage(role="user", content=mcp.TextContent(text=question))]
    answer = await asked.session.create_message(messages, max_tokens=100, related_request_id=asked.request_id)
    return say(f"LLM response: {getattr(answer.content, 'text', '')}")


async def _ask_person(asked: Asked, params: mcp.CallToolRequestParams) -> Result:
    schema = _form(
        username={"type": "string", "description": "User's response"},
        email={"type": "string", "description": "User's email address"},
    )
    answer = await asked.session.elicit_form(str((params.arguments or {})["message"]), schema, asked.request_id)
    return say(f"User response: action={answer.action}, content={answer.content}")


def _asks(schema: dict[str, Any]) -> Offer:
    async def work(asked: Asked, _params: mcp.CallToolRequestParams) -> Result:
        answer = await asked.session.elicit_form("Please answer", schema, asked.request_id)
        return say(f"Elicitation completed: action={answer.action}, content={answer.content}")

    return Offer(work)


_DEFAULTS = _form(
    required=False,
    name={"type": "string", "default": "John Doe"},
    age={"type": "integer", "default": 30},
    score={"type": "number", "default": 95.5},
    status={"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    verified={"type": "boolean", "default": True},
)
_OPTIONS = ["option1", "option2", "option3"]
_TITLED = [
    {"const": "value1", "title": "First"},
    {"const": "value2", "title": "Second"},
    {"const": "value3", "title": "Third"},
]
_ENUMS = _form(
    required=False,
    untitledSingle={"type": "string", "enum": _OPTIONS},
    titledSingle={"type": "string", "oneOf": _TITLED},
    legacyEnum={"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
    untitledMulti={"type": "array", "items": {"type": "string", "enum": _OPTIONS}},
    titledMulti={"type": "array", "items": {"anyOf": _TITLED}},
)

ON_THE_STREAM: Mapping[str, Offer] = {
    "test_sampling": Offer(_ask_model, _form(prompt=_TEXT)),
    "test_elicitation": Offer(_ask_person, _form(message=_TEXT)),
    "test_elicitation_sep1034_defaults": _asks(_DEFAULTS),
    "test_elicitation_sep1330_enums": _asks(_ENUMS),
}

# ---- in rounds: 2026-07-28 -----------------------------------------------------------------------------

_NAME = elicit("What is your name?", _form(name=_TEXT))
_CONFIRM = elicit("Please confirm", _form(ok={"type": "boolean"}))
_ROOTS = mcp.ListRootsRequest()


def missing(answers: mcp.InputResponses | None, asked_for: mcp.InputRequests) -> bool:
    """True if an answer is not there, or is not one to its question."""
    given = answers or {}
    return not all(_fits(given.get(key), request) for key, request in asked_for.items())


def _fits(answer: object, request: mcp.InputRequest) -> bool:
    match request:
        case mcp.ElicitRequest():
            return isinstance(answer, mcp.ElicitResult) and answer.action == "accept" and bool(answer.content)
        case mcp.CreateMessageRequest():
            return isinstance(answer, mcp.CreateMessageResult | mcp.CreateMessageResultWithTools)
        case mcp.ListRootsRequest():
            return isinstance(answer, mcp.ListRootsResult)


def _rounds(state: str | None = None, **questions: mcp.InputRequest) -> Offer:
    """Offer a tool that asks everything at once; with a state, that state must come back."""

    async def work(_asked: Asked, params: mcp.CallToolRequestParams) -> Result:
        if missing(params.input_responses, questions):
            return mcp.InputRequiredResult(input_requests=questions, request_state=state)
        if params.request_state != state:
            raise MCPError(_INVALID_PARAMS, "the state is not the one that was given out")
        given = {key: answer.model_dump_json(by_alias=True) for key, answer in (params.input_responses or {}).items()}
        return say(f"{state or 'complete'}: {given}")

    return Offer(work)


_STEPS: Mapping[str | None, tuple[str, str, dict[str, Any]]] = {
    None: ("step1", "Step 1: What is your name?", _form(name=_TEXT)),
    "round-1": ("step2", "Step 2: What is your favorite color?", _form(color=_TEXT)),
}


async def _step(_asked: Asked, params: mcp.CallToolRequestParams) -> Result:
    step = _STEPS.get(params.request_state)
    if step is None:
        return say("both steps are done")
    key, message, schema = step
    state = "round-1" if params.request_state is None else "round-2"
    return mcp.InputRequiredResult(input_requests={key: elicit(message, schema)}, request_state=state)


async def _ask_what_the_client_can(asked: Asked, params: mcp.CallToolRequestParams) -> Result:
    capabilities = asked.session.client_capabilities
    questions: mcp.InputRequests = {}
    if capabilities is not None and capabilities.sampling is not None:
        questions["model"] = _sample("Generate a greeting", 50)
    if capabilities is not None and capabilities.elicitation is not None:
        questions["person"] = _NAME
    if not questions or params.input_responses:
        return say("nothing more to ask")
    return mcp.InputRequiredResult(input_requests=questions)


IN_ROUNDS: Mapping[str, Offer] = {
    "test_input_required_result_elicitation": _rounds(user_name=_NAME),
    "test_streaming_elicitation": _rounds(user_name=_NAME),
    "test_input_required_result_sampling": _rounds(capital_question=_sample("What is the capital of France?", 100)),
    "test_input_required_result_list_roots": _rounds(client_roots=_ROOTS),
    "test_input_required_result_request_state": _rounds("state-ok", confirm=_CONFIRM),
    "test_input_required_result_tampered_state": _rounds("state-ok", confirm=_CONFIRM),
    "test_input_required_result_multiple_inputs": _rounds(
        "state-ok", user_name=_NAME, greeting=_sample("Generate a greeting", 50), client_roots=_ROOTS
    ),
    "test_input_required_result_multi_round": Offer(_step),
    "test_input_required_result_capabilities": Offer(_ask_what_the_client_can),
}
