"""Every kind of message that may hold a value, as it is sent and as a client may get it: both written of `Values`."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.masked import MARKS, REAL, Values, call, result
from tests.e2e.told import rpc
from tests.stage.world import VERSION

META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
}
DONE = rpc(id=7, result={"content": []})
READ = rpc(id=7, method="resources/read", params={"uri": "customer://c-1"})
PROMPT = rpc(id=7, method="prompts/get", params={"name": "summarize"})
COMPLETE = rpc(
    id=7,
    method="completion/complete",
    params={"ref": {"type": "ref/prompt", "name": "summarize"}, "argument": {"name": "a", "value": "c"}},
)
MODERN = call("get_customer", _meta=META)


def modern(method: str, name: str = "") -> dict[str, str]:
    """Write the headers of a modern call."""
    return {"mcp_protocol_version": VERSION, "mcp_method": method, **({"mcp_name": name} if name else {})}


@dataclass(frozen=True)
class Kind:
    """A message, and the call that it comes back of.

    Args:
        headers: of the call.
        answers: False for a message that comes on a stream before the answer.
    """

    write: Callable[[Values], dict[str, Any]]
    body: Mapping[str, Any] = field(default_factory=lambda: call("get_customer"))
    headers: Mapping[str, str] = field(default_factory=dict)
    answers: bool = True

    @property
    def sent(self) -> dict[str, Any]:
        return self.write(REAL)

    @property
    def shown(self) -> dict[str, Any]:
        return self.write(MARKS)


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def content(*items: Any, **members: Any) -> dict[str, Any]:
    return rpc(id=7, result={"content": list(items), **members})


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def record(held: Values) -> dict[str, Any]:
    return {"card": held.number, "email": held.mail, "ssn": held.ssn, "notes": [held.all(), {"api": held.key}], "n": 3}


def resource(**members: Any) -> dict[str, Any]:
    return {"type": "resource", "resource": {"uri": "customer://c-1", **members}}


def nested(held: Values, depth: int) -> str:
    """Write a document as a text in a document, so many times."""
    written = compact(record(held))
    for _ in range(depth - 1):
        written = compact({"inner": written})
    return written


def notify(method: str, **params: Any) -> dict[str, Any]:
    return rpc(method=f"notifications/{method}", params=params)


def elicit(held: Values) -> dict[str, Any]:
    asked = {"type": "object", "properties": {"a": {"type": "string", "default": held.mail, "title": held.card}}}
    return rpc(id="s1", method="elicitation/create", params={"message": held.all(), "requestedSchema": asked})


def sample(held: Values) -> dict[str, Any]:
    said = [{"role": "user", "content": text(held.all())}]
    return rpc(
        id="s2",
        method="sampling/createMessage",
        params={"messages": said, "systemPrompt": held.mail, "maxTokens": 9, "metadata": {"m": held.key}},
    )


def ask_for_input(held: Values) -> dict[str, Any]:
    asked = {"a": {"method": "elicitation/create", "params": {"message": held.all(), "requestedSchema": {}}}}
    return rpc(id=7, result={"resultType": "input_required", "inputRequests": asked, "requestState": REAL.card})


ANSWERS: dict[str, Kind] = {
    "text of a result": Kind(lambda v: result(v.all())),
    "structured content": Kind(lambda v: result(compact(record(v)), structuredContent=record(v))),
    "empty texts": Kind(lambda v: content(structuredContent={"email": "", "card": None, "a": ["", v.mail], "": ""})),
    "name of a member": Kind(lambda v: content(structuredContent={v.mail: 1, "of": {v.card: [v.ssn]}})),
    "JSON in a text": Kind(lambda v: result(nested(v, 1))),
    "JSON in JSON in JSON": Kind(lambda v: content(structuredContent={"a": nested(v, 3)})),
    "JSON with text around it": Kind(lambda v: result(f"Found: {compact(record(v))}. Call {v.mail}.")),
    "embedded resource": Kind(lambda v: content(resource(text=v.all(), mimeType="text/plain"))),
    "embedded resource of JSON": Kind(lambda v: content(resource(text=nested(v, 1)))),
    "embedded blob": Kind(lambda v: content(resource(blob=v.blob(), mimeType="text/plain"))),
    "resource link": Kind(
        lambda v: content(
            {"type": "resource_link", "uri": f"customer://c-1?q={v.mail}", "name": v.card, "description": v.all()}
        )
    ),
    "annotations and _meta of content": Kind(lambda v: content({**text("a"), "_meta": {"x/y": v.all()}})),
    "_meta": Kind(lambda v: content(_meta={"com.example/note": v.all(), v.mail: [v.number]})),
    "result with isError": Kind(lambda v: result(v.all(), isError=True)),
    "unknown member": Kind(lambda v: rpc(id=7, result={"new": {"deep": [[v.all()]]}})),
    "member beside the result": Kind(lambda v: {**DONE, "extra": v.all()}),
    "resources/read as text": Kind(
        lambda v: rpc(id=7, result={"contents": [{"uri": "customer://c-1", "text": v.all()}]}), READ
    ),
    "resources/read as blob": Kind(
        lambda v: rpc(id=7, result={"contents": [{"uri": "customer://c-1", "blob": v.blob()}]}), READ
    ),
    "prompts/get": Kind(
        lambda v: rpc(
            id=7, result={"description": v.mail, "messages": [{"role": "user", "content": text(v.all())}]}
        ),
        PROMPT,
    ),
    "completion/complete": Kind(lambda v: rpc(id=7, result={"completion": {"values": [v.mail, v.card]}}), COMPLETE),
    "error": Kind(lambda v: rpc(id=7, error={"code": -32602, "message": v.all(), "data": record(v)})),
    "error with a text as data": Kind(lambda v: rpc(id=7, error={"code": -32603, "message": "no", "data": v.all()})),
    "input_required": Kind(ask_for_input, MODERN, modern("tools/call", "get_customer")),
    "answer to another id": Kind(lambda v: {**result(v.all()), "id": 8}),
}  # fmt: skip
STREAMED: dict[str, Kind] = {
    "notifications/message": Kind(lambda v: notify("message", level="info", data=record(v), logger=v.mail)),
    "notifications/message of a text": Kind(lambda v: notify("message", level="info", data=v.all())),
    "notifications/progress": Kind(lambda v: notify("progress", progressToken=7, progress=1, message=v.all())),
    "notifications/cancelled": Kind(lambda v: notify("cancelled", requestId=7, reason=v.all())),
    "notifications/resources/updated": Kind(lambda v: notify("resources/updated", uri=f"customer://c-1?q={v.mail}")),
    "unknown notification": Kind(lambda v: notify("new", **{v.mail: v.all()})),
    "elicitation/create": Kind(elicit),
    "sampling/createMessage": Kind(sample),
    "unknown request": Kind(lambda v: rpc(id="s3", method="new/do", params={"a": [v.all()]})),
}
KINDS = ANSWERS | {name: Kind(kind.write, answers=False) for name, kind in STREAMED.items()}

# Of the protocol: clients send these back, or go by them.
PROTOCOL: dict[str, dict[str, Any]] = {
    "requestState": rpc(id=7, result={"resultType": "input_required", "inputRequests": {}, "requestState": REAL.card}),
    "nextCursor": rpc(id=7, result={"resources": [], "nextCursor": REAL.mail}),
    "progressToken": notify("progress", progressToken=REAL.number, progress=1),
    "requestId": notify("cancelled", requestId=REAL.card),
    "id of a request": rpc(id=REAL.card, method="roots/list"),
    "elicitationId": notify("elicitation/complete", elicitationId=REAL.card),
    "progressToken in _meta": rpc(id="s1", method="roots/list", params={"_meta": {"progressToken": REAL.card}}),
}


def _wide(text_: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text_)


def _split(text_: str, between: str, size: int = 4) -> str:
    return between.join(text_[at : at + size] for at in range(0, len(text_), size))


_BASE64 = base64.b64encode(REAL.all().encode()).decode()
# How a value may be written in a text of a result.
SPELLINGS: dict[str, str] = {
    "groups": _split(REAL.card, " "),
    "dashes": _split(REAL.card, "-"),
    "dots": _split(REAL.card, "."),
    "no-break spaces": _split(REAL.card, "\u00a0"),
    "thin spaces": _split(REAL.card, "\u2009"),
    "zero-width spaces": _split(REAL.card, "\u200b"),
    "soft hyphens": _split(REAL.card, "\u00ad"),
    "each digit by itself": " ".join(REAL.card),
    "wide digits": _wide(REAL.card),
    "Arabic digits": "".join(chr(0x0660 + int(digit)) for digit in REAL.card),
    "text around it": f"card{REAL.card}, and",
    "percent": "".join(f"%{ord(char):02x}" for char in REAL.mail),
    "entities": "".join(f"&#{ord(char)};" for char in REAL.card),
    "entities of sixteen": "".join(f"&#x{ord(char):x};" for char in REAL.mail),
    "base64": _BASE64,
    "base64 for URLs": base64.urlsafe_b64encode(REAL.all().encode()).decode().rstrip("="),
    "base64 in lines": "\n".join(_BASE64[at : at + 76] for at in range(0, len(_BASE64), 76)),
    "base64 in a text": f"data:text/plain;base64,{_BASE64}",
    "base64 of base64": base64.b64encode(_BASE64.encode()).decode(),
    "escapes of JSON": "".join(f"\\u{ord(char):04x}" for char in REAL.card),
    "capitals": REAL.mail.upper(),
    "wide mail": _wide(REAL.mail),
    "mail in brackets": f"<{REAL.mail}>",
    "link": f"mailto:{REAL.mail}?subject=a",
    "query": f"https://x.example.com/?card={REAL.card}&key={REAL.key}",
    "CSV": f"name,card,mail\nJane,{REAL.card},{REAL.mail}\n",
    "Markdown": f"| a | **{REAL.card}** | `{REAL.key}` | _{REAL.mail}_ |",
    "HTML": f"<td>{REAL.card}</td><a href='mailto:{REAL.mail}'>{REAL.key}</a>",
    "environment": f"export AWS_ACCESS_KEY_ID={REAL.key}\nCARD='{REAL.card}'",
    "SSN in spaces": f"SSN: {REAL.ssn.replace('-', ' ')}",
    "SSN of digits": f"social security number {REAL.ssn.replace('-', '')}",
    "exponent": "4.111111111111111e15",
    "deeper than is read": nested(REAL, 6),
    "JSON in base64": base64.b64encode(nested(REAL, 2).encode()).decode(),
    "JSON lines": "\n".join(compact(record(REAL)) for _ in range(3)),
    "broken JSON": compact(record(REAL))[:-1],
}
