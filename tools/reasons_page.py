"""Renders docs/reasons.md from the one table of Reasons; `make golden` writes it."""

from agen_authz.core.message.version import SUPPORTED_VERSIONS
from agen_authz.core.reason import HIDDEN, REFUSALS, Reason

_INTRO = f"""\
# Reasons

Every answer has one Reason. The same word is in the metric `agen_decisions_total{{reason}}`, in the audit event and in
the body that the client gets (`error.data.reason`). This page is rendered from `agen_authz/core/reason.py`.

A refused request gets a JSON-RPC error with the Reason, one sentence and our request id. The error has the id of the
request if that id could be read. A denied notification gets 202 and no body, and is not forwarded. Some Reasons are
never shown to clients: {", ".join(f"`{reason}`" for reason in sorted(HIDDEN))} are all answered as
`unknown_target`, so that a caller cannot distinguish a tool that it may not use, or that pinning hides, from a tool
that does not exist. The metric and the audit event have the true Reason. `unknown_method`, `method_denied` and
`task_unsupported` are answered with 404 in the modern era (2026-07-28) and with 200 in the legacy era.

If a request has more than one fault, the answer names the first of this list: authority, path and query; HTTP method,
upgrade and body; headers; Origin; token; scopes; media type and encoding; the body, its message, version, routing
headers (`mcp-method`, `mcp-name`) and parameters; session; method; access; parameter headers (`mcp-param-*`); policies.
Parameter headers are compared after access was checked, because the comparison walks over the arguments: a caller who
may not use a target cannot cause that work.

`params_malformed` and `malformed_target` name the parameter in the audit event, as a JSON pointer in `why[].rule`
(`/params/arguments`); the value is not written. `params` and `arguments` that are `null` count as absent: MCP servers
read them as absent (the Python SDK) or refuse them (the TypeScript SDK).

Supported protocol versions: {", ".join(SUPPORTED_VERSIONS)}.

What `malformed_target` accepts (URIs that differ in empty segments, a slash at the end, path parameters or query are
different names to access rules; [policies](policies.md) compare what a backend would open):

- tools: 1 to 128 characters of `A-Z a-z 0-9 _ . : / -`, no dot segment
- prompts: 1 to 256 printable characters in Unicode's NFKC form
- resources: absolute URIs of at most 2048 RFC 3986 characters (and `{{` `}}` of templates), lower-case scheme, no dot
  segment, backslash, userinfo or fragment, upper-case percent escapes of characters that need one; web URIs with a
  lower-case host and no default port; `file:///path`

| Reason | HTTP | JSON-RPC | the client reads | what to do |
|---|---|---|---|---|
"""


def render() -> str:
    """Render the page."""
    rows = [_row(reason) for reason in Reason]
    return _INTRO + "\n".join(rows) + "\n"


def _row(reason: Reason) -> str:
    refusal = REFUSALS[reason]
    return f"| `{reason}` | {refusal.status} | {refusal.code or ''} | {refusal.message} | {refusal.remedy} |"
