"""One MCP message: from the bytes of a body to a Call, or the Reason why not.

The theory behind the parser; the steps are listed in mcp.py.

What arrives. MCP over Streamable HTTP has one URL for each server. A POST carries one JSON-RPC 2.0 message. A GET opens
a stream on which the server may send messages, and a DELETE ends a session. Neither has a body. Each HTTP request
becomes one `Call`, and is decided by itself.

The two eras. MCP changed its ground rules with version 2026-07-28.
- legacy: versions 2025-03-26 to 2025-11-25. A client begins with `initialize`. The server may answer with a session id,
  and the client sends it from then on. Server and client both send requests, so a client also posts responses.
- modern: version 2026-07-28. There is no `initialize`, no session, no GET and no DELETE. Each request says its version
  and the client's capabilities in `params._meta`, and repeats its method in the header `mcp-method`. A server that
  needs an input from the user answers the call with a question, and the client calls again with the answer in
  `inputResponses`.
A server may speak both, and choose by the header `mcp-protocol-version` or by `_meta`. If these disagree, we and the
server could read the same bytes by different rules. So a request whose header and `_meta` name different versions is
refused, and so is one that has marks of both eras. The era also says which methods exist (method.py) and how a refusal
is written: 404 or 200 for an unknown method.

What a session is for. A legacy session holds state on the server: what was subscribed to, which requests of the server
are open, which events a stream can repeat. Its id is a bearer secret: a client that sends it acts in the session. So
each id is bound to the first caller who uses it, and is refused to every other caller. A posted response belongs to a
question that was asked in a session, so it needs a session of this caller. A session grants nothing: each call in it
is decided like any other.

The shapes of a message (`Shape`).
- request: `method` and `id`. It gets an answer; a refusal repeats its id.
- notification: `method`, no `id`. It gets no answer (JSON-RPC 2.0 section 4.1): if a rule or policy denies it, the
  status is 202, and it is not passed on.
- response: `id`, and `result` or `error`. Legacy only. It names nothing that a rule could decide on, and it cannot be
  known which question it answers: policies that read `inputs` cannot be evaluated for it.
- stream and end: the GET and the DELETE of the legacy era.
A batch, which is a list of messages, is refused: each of its calls would need its own decision and its own event.

What a message names. Some methods name targets: a tool, a prompt, resources. Access rules and policies decide on these,
so they are read only if they are spelt in the one canonical way (target.py). A key that a backend may take for a known
one is refused (jsonrpc.py), and a header that repeats the message must say the same as the message (mirror.py).
Nothing is repaired and nothing is guessed: a message becomes a Call that says what every reader takes it for, or a
Misread. The bytes themselves are passed on as they came.
"""
