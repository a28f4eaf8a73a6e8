"""The closed list of Reasons: one word per cause, the same in code, metrics, audit events and answers."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a request was answered as it was; stable, and documented in `REFUSALS`."""

    # allowed, or answered by ourselves
    ALLOWED = "allowed"
    METADATA = "metadata"
    APPROVAL_TASK = "approval_task"
    PREFLIGHT = "preflight"
    # where: authority, path, query
    UNKNOWN_HOST = "unknown_host"
    UNKNOWN_PATH = "unknown_path"
    FOREIGN_QUERY = "foreign_query"
    # how: method, upgrade, body on a bodiless method
    METHOD_NOT_ALLOWED = "method_not_allowed"
    UPGRADE_REFUSED = "upgrade_refused"
    UNEXPECTED_BODY = "unexpected_body"
    # headers
    REQUEST_UNREADABLE = "request_unreadable"
    HEADER_MALFORMED = "header_malformed"
    HEADER_UNDERSCORE = "header_underscore"
    HEADER_REPEATED = "header_repeated"
    AUTHORIZATION_MALFORMED = "authorization_malformed"
    ORIGIN_REFUSED = "origin_refused"
    # who
    TOKEN_MISSING = "token_missing"
    TOKEN_MALFORMED = "token_malformed"
    TOKEN_ALGORITHM = "token_algorithm"
    TOKEN_TYPE = "token_type"
    TOKEN_CRITICAL_HEADER = "token_critical_header"
    TOKEN_ISSUER = "token_issuer"
    TOKEN_KEY_UNKNOWN = "token_key_unknown"
    TOKEN_SIGNATURE = "token_signature"
    TOKEN_ID_TOKEN = "token_id_token"
    TOKEN_KEY_BOUND = "token_key_bound"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_NOT_YET_VALID = "token_not_yet_valid"
    TOKEN_TOO_OLD = "token_too_old"
    TOKEN_AUDIENCE = "token_audience"
    TOKEN_CLIENT = "token_client"
    TOKEN_CLAIM = "token_claim"
    TOKEN_TENANT = "token_tenant"
    TOKEN_ROLE = "token_role"
    TOKEN_REVOKED = "token_revoked"
    TENANT_MISSING = "tenant_missing"
    SCOPE_MISSING = "scope_missing"
    # body as bytes
    MEDIA_TYPE = "media_type"
    CONTENT_ENCODING = "content_encoding"
    BODY_EMPTY = "body_empty"
    BODY_PARTIAL = "body_partial"
    BODY_TOO_LARGE = "body_too_large"
    BODY_AS_TEXT = "body_as_text"
    # body as JSON
    JSON_SYNTAX = "json_syntax"
    JSON_ENCODING = "json_encoding"
    JSON_DUPLICATE_KEY = "json_duplicate_key"
    JSON_NUMBER = "json_number"
    JSON_SURROGATE = "json_surrogate"
    JSON_DEPTH = "json_depth"
    JSON_VALUES = "json_values"
    JSON_KEY_TWIN = "json_key_twin"
    # body as a JSON-RPC message
    BATCH = "batch"
    NOT_A_MESSAGE = "not_a_message"
    ID_MALFORMED = "id_malformed"
    ID_MISSING = "id_missing"
    ID_UNEXPECTED = "id_unexpected"
    POSTED_RESPONSE = "posted_response"
    # body as MCP
    VERSION_UNSUPPORTED = "version_unsupported"
    ERA_CONFUSION = "era_confusion"
    META_MISSING = "meta_missing"
    HEADER_MISSING = "header_missing"
    HEADER_MISMATCH = "header_mismatch"
    PARAMS_MALFORMED = "params_malformed"
    MALFORMED_TARGET = "malformed_target"
    # session
    SESSION_MISSING = "session_missing"
    SESSION_UNKNOWN = "session_unknown"
    # access
    UNKNOWN_METHOD = "unknown_method"
    METHOD_DENIED = "method_denied"
    TASK_UNSUPPORTED = "task_unsupported"
    TASK_UNKNOWN = "task_unknown"
    UNMAPPED = "unmapped"
    NOT_GRANTED = "not_granted"
    TOOL_UNPINNED = "tool_unpinned"
    TOOL_CHANGED = "tool_changed"
    SCHEMA_UNUSABLE = "schema_unusable"
    INVALID_ARGUMENTS = "invalid_arguments"
    ARGUMENTS_TOO_COMPLEX = "arguments_too_complex"
    POLICY_DENIED = "policy_denied"
    POLICY_ERROR = "policy_error"
    STEP_UP_REQUIRED = "step_up_required"
    APPROVAL_REQUIRED = "approval_required"
    APPROVAL_IMPOSSIBLE = "approval_impossible"
    APPROVAL_REJECTED = "approval_rejected"
    APPROVAL_LIMIT = "approval_limit"
    APPROVAL_SPENT = "approval_spent"
    APPROVAL_STATE_UNKNOWN = "approval_state_unknown"
    # what clients get instead of what is hidden (`HIDDEN`)
    UNKNOWN_TARGET = "unknown_target"
    # what comes back
    TASK_UNBOUND = "task_unbound"
    LIST_TOO_LONG = "list_too_long"
    LISTED_TWICE = "listed_twice"
    RESPONSE_NOT_MCP = "response_not_mcp"
    RESPONSE_ENCODED = "response_encoded"
    RESPONSE_TOO_LARGE = "response_too_large"
    RESPONSE_UNREADABLE = "response_unreadable"
    UNMASKABLE = "unmaskable"
    MASKING_INCOMPLETE = "masking_incomplete"
    # surroundings
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    KEY_UNSETTLED = "key_unsettled"
    STORE_UNAVAILABLE = "store_unavailable"
    AUDIT_UNAVAILABLE = "audit_unavailable"
    DEADLINE = "deadline"
    OVERLOADED = "overloaded"
    DRAINING = "draining"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, slots=True)
class Refusal:
    """How a Reason is answered: HTTP status, JSON-RPC code, one sentence for the client, and the cure."""

    status: int
    code: int
    message: str
    remedy: str


PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
# JSON-RPC keeps -32768..-32000 for itself; ours are the HTTP status and two digits.
TOKEN, POLICY, NOT_FOUND, NOT_ALLOWED, TOO_LARGE, UNSUPPORTED_MEDIA, INTERNAL, UPSTREAM, UNAVAILABLE = (
    40100, 40300, 40400, 40500, 41300, 41500, 50000, 50200, 50300,
)  # fmt: skip

_NEW_TOKEN = "ask the provider for a new token"
_ENVOY = "compare Envoy's configuration with `agen-authz envoy-config`"

_ROWS: dict[Reason, tuple[int, int, str, str]] = {
    Reason.ALLOWED: (200, 0, "Allowed.", "nothing to do"),
    Reason.METADATA: (200, 0, "Protected resource metadata.", "nothing to do"),
    Reason.APPROVAL_TASK: (200, 0, "The state of an approval.", "nothing to do"),
    Reason.PREFLIGHT: (204, 0, "CORS preflight.", "nothing to do"),
    Reason.UNKNOWN_HOST: (404, NOT_FOUND, "No such resource.", "call a host that a `resources[].url` names"),
    Reason.UNKNOWN_PATH: (404, NOT_FOUND, "No such resource.", "call the exact path of a `resources[].url`"),
    Reason.FOREIGN_QUERY: (
        400, INVALID_REQUEST, "The URL has a query that this resource does not have.", "call the resource's `url` exactly, without another query",
    ),
    Reason.METHOD_NOT_ALLOWED: (405, NOT_ALLOWED, "This HTTP method is not allowed here.", "use POST; GET and DELETE need a legacy session"),
    Reason.UPGRADE_REFUSED: (405, NOT_ALLOWED, "Protocol upgrades are not allowed.", "do not send an `upgrade` header"),
    Reason.UNEXPECTED_BODY: (405, NOT_ALLOWED, "This HTTP method takes no body.", "send the body with POST"),
    Reason.REQUEST_UNREADABLE: (400, INVALID_REQUEST, "The request cannot be read.", _ENVOY),
    Reason.HEADER_MALFORMED: (400, INVALID_REQUEST, "A header is malformed.", "send only visible ASCII characters in the headers that MCP defines"),
    Reason.HEADER_UNDERSCORE: (
        400, INVALID_REQUEST, "Header names with an underscore are refused.", "rename the header, or configure Envoy to remove it",
    ),
    Reason.HEADER_REPEATED: (400, HEADER_MISMATCH, "A header that may be sent once was sent more than once.", "send it once"),
    Reason.AUTHORIZATION_MALFORMED: (
        400, INVALID_REQUEST, "The authorization header is malformed.", "send `authorization: Bearer TOKEN`",
    ),
    Reason.ORIGIN_REFUSED: (403, POLICY, "This origin may not call here.", "add the origin to `resources[].origins`"),
    Reason.TOKEN_MISSING: (401, TOKEN, "Authentication is required.", "send an access token"),
    Reason.TOKEN_MALFORMED: (401, TOKEN, "The access token is malformed.", "send a signed JWT (RFC 7519); `why` in the audit event says what is malformed"),
    Reason.TOKEN_ALGORITHM: (
        401, TOKEN, "The access token is signed with an algorithm that is not accepted.", "sign tokens with one of `providers[].algorithms` that fits the key",
    ),
    Reason.TOKEN_TYPE: (401, TOKEN, "This type of token is not accepted.", "issue access tokens with a `typ` of `providers[].token_types`"),
    Reason.TOKEN_CRITICAL_HEADER: (401, TOKEN, "The access token has a critical header.", "issue tokens without the header `crit`"),
    Reason.TOKEN_ISSUER: (401, TOKEN, "The access token's issuer is not accepted here.", "use a token of one of the resource's `providers`; `why` in the audit event names the token's issuer"),
    Reason.TOKEN_KEY_UNKNOWN: (401, TOKEN, "The access token's key is not known.", "publish the key in the provider's JWKS with this `kid` and for this `alg`, or " + _NEW_TOKEN),
    Reason.TOKEN_SIGNATURE: (401, TOKEN, "The access token's signature is not valid.", _NEW_TOKEN),
    Reason.TOKEN_ID_TOKEN: (401, TOKEN, "This is not an access token, but an ID, refresh or logout token.", "send the access token; if this is the access token, map `claims.client` or `claims.scopes` to a claim that only access tokens have (ADR 0013)"),
    Reason.TOKEN_KEY_BOUND: (401, TOKEN, "Key-bound tokens are not supported.", "issue plain bearer tokens for this resource"),
    Reason.TOKEN_EXPIRED: (401, TOKEN, "The access token has expired.", _NEW_TOKEN),
    Reason.TOKEN_NOT_YET_VALID: (401, TOKEN, "The access token is not valid yet.", "compare the clocks of the provider and of this machine"),
    Reason.TOKEN_TOO_OLD: (401, TOKEN, "The access token was issued too long ago.", _NEW_TOKEN),
    Reason.TOKEN_AUDIENCE: (
        401, TOKEN, "The access token is for another resource.", "ask for a token with `resource` set to the resource's `url` (RFC 8707)",
    ),
    Reason.TOKEN_CLIENT: (401, TOKEN, "This client may not call this resource.", "add the client to `resources[].clients`"),
    Reason.TOKEN_CLAIM: (401, TOKEN, "The access token lacks a claim, or one has the wrong type.", "compare the token with `providers[].claims`"),
    Reason.TOKEN_TENANT: (401, TOKEN, "The provider may not assert this tenant.", "add the tenant to `providers[].tenants`"),
    Reason.TOKEN_ROLE: (401, TOKEN, "The provider may not assert these roles.", "add the role to `providers[].roles`"),
    Reason.TOKEN_REVOKED: (401, TOKEN, "The access token is revoked.", "the token, its key or its subject is listed under `revoked`; remove it there if that is a mistake"),
    Reason.TENANT_MISSING: (401, TOKEN, "The access token names no tenant.", "set `providers[].claims.tenant` to the claim that holds the tenant, and issue tokens with that claim"),
    Reason.SCOPE_MISSING: (403, POLICY, "The access token lacks a scope.", "ask the provider for a token with the scopes that the challenge names"),
    Reason.MEDIA_TYPE: (415, UNSUPPORTED_MEDIA, "The body must be application/json in UTF-8.", "send `content-type: application/json`"),
    Reason.CONTENT_ENCODING: (415, UNSUPPORTED_MEDIA, "Compressed requests are not accepted.", "send the body uncompressed"),
    Reason.BODY_EMPTY: (400, INVALID_REQUEST, "The body is empty.", "send one JSON-RPC message"),
    Reason.BODY_PARTIAL: (413, TOO_LARGE, "The body was cut off.", "set `allow_partial_message: false`; " + _ENVOY),
    Reason.BODY_TOO_LARGE: (413, TOO_LARGE, "The body is too large.", "send a smaller body, or raise `limits.request_bytes`"),
    Reason.BODY_AS_TEXT: (400, INVALID_REQUEST, "The body cannot be inspected.", "set `pack_as_bytes: true`; " + _ENVOY),
    Reason.JSON_SYNTAX: (400, PARSE_ERROR, "The body is not valid JSON.", "send one JSON object (RFC 8259)"),
    Reason.JSON_ENCODING: (400, PARSE_ERROR, "The body is not UTF-8, or starts with a byte order mark.", "send UTF-8 without BOM"),
    Reason.JSON_DUPLICATE_KEY: (400, PARSE_ERROR, "A key appears twice in one object.", "send each key once"),
    Reason.JSON_NUMBER: (400, PARSE_ERROR, "A number is not finite, or beyond 64 bits.", "send such numbers as strings"),
    Reason.JSON_SURROGATE: (400, PARSE_ERROR, "A string has half of a surrogate pair.", "send well-formed Unicode"),
    Reason.JSON_DEPTH: (400, PARSE_ERROR, "The body is nested too deeply.", "nest the body less deeply, or raise `limits.json_depth`"),
    Reason.JSON_VALUES: (400, PARSE_ERROR, "The body holds too many values.", "send less in one call, or raise `limits.json_values`"),
    Reason.JSON_KEY_TWIN: (400, INVALID_REQUEST, "A key differs from a known one in case or form only, or is a prototype to JavaScript.", "spell keys exactly as MCP does, and send no key `__proto__`"),
    Reason.BATCH: (400, INVALID_REQUEST, "Batches are not accepted.", "send one message per request"),
    Reason.NOT_A_MESSAGE: (400, INVALID_REQUEST, "The body is not a JSON-RPC 2.0 message.", "send one JSON-RPC 2.0 object"),
    Reason.ID_MALFORMED: (400, INVALID_REQUEST, "The id must be a string or an integer.", "send a string of at most 1024 characters, or an integer"),
    Reason.ID_MISSING: (400, INVALID_REQUEST, "This method needs an id.", "add an `id`: this method is a request"),
    Reason.ID_UNEXPECTED: (400, INVALID_REQUEST, "A notification has no id.", "send the notification without `id`"),
    Reason.POSTED_RESPONSE: (400, INVALID_REQUEST, "A response cannot be posted here.", "responses need a bound legacy session"),
    Reason.VERSION_UNSUPPORTED: (400, UNSUPPORTED_VERSION, "This protocol version is not supported.", "use one of the versions in the error's `data.supported`"),
    Reason.ERA_CONFUSION: (
        400, HEADER_MISMATCH, "Header and body use different protocol eras.", "send the same version in `mcp-protocol-version` and in `_meta`",
    ),
    Reason.META_MISSING: (400, INVALID_PARAMS, "`params._meta` lacks what this protocol version requires.", "send `protocolVersion` and `clientCapabilities` in `params._meta`"),
    Reason.HEADER_MISSING: (400, HEADER_MISMATCH, "A header that this protocol version requires is missing.", "send `mcp-protocol-version`, `mcp-method` and `mcp-name`"),
    Reason.HEADER_MISMATCH: (400, HEADER_MISMATCH, "A header disagrees with the body.", "send headers with the same method, name and arguments as the body, and a header for each argument that the tool's schema marks with `x-mcp-header`"),
    Reason.PARAMS_MALFORMED: (400, INVALID_PARAMS, "The parameters are malformed.", "send what the method's schema asks for; `why` in the audit event names the parameter, and `subscriptions/listen` takes 100 different URIs at most"),
    Reason.MALFORMED_TARGET: (400, INVALID_PARAMS, "The name or URI is not in canonical form.", "see docs/reasons.md for the accepted form"),
    Reason.SESSION_MISSING: (400, INVALID_REQUEST, "A session id is required.", "send `mcp-session-id`"),
    Reason.SESSION_UNKNOWN: (404, NOT_FOUND, "No such session.", "initialize a new session"),
    Reason.UNKNOWN_METHOD: (200, METHOD_NOT_FOUND, "Method not found.", "allow it in `resources[].methods` if it names no target"),
    Reason.METHOD_DENIED: (200, METHOD_NOT_FOUND, "Method not found.", "nothing, if this is intended; otherwise allow the method in `resources[].methods`"),
    Reason.TASK_UNSUPPORTED: (200, METHOD_NOT_FOUND, "Tasks are not available here.", "ask with `tasks/get`, `tasks/update`, `tasks/cancel` or `tasks/result` and one `taskId`; a legacy `tools/call` may have an object as `task`; `tasks/list` is never available (docs/tasks.md)"),
    Reason.TASK_UNKNOWN: (200, INVALID_PARAMS, "Task not found.", "no task of this id is bound to the caller: a task is bound to whom it was made for, for 30 days"),
    Reason.UNMAPPED: (200, INVALID_PARAMS, "Unknown target.", "no access rule names the target: add a rule if callers may use it"),
    Reason.NOT_GRANTED: (200, INVALID_PARAMS, "Unknown target.", "the caller has none of the roles or permissions that the target's access rules ask for: grant one, or change a rule"),
    Reason.TOOL_UNPINNED: (200, INVALID_PARAMS, "Unknown target.", "no definition of the tool is approved: look at it with `agen-authz tools diff`, then approve it with `agen-authz tools pin`"),
    Reason.TOOL_CHANGED: (200, INVALID_PARAMS, "Unknown target.", "the tool's definition changed in more than wording since it was approved: look at the change with `agen-authz tools diff`, then approve it with `agen-authz tools pin`"),
    Reason.SCHEMA_UNUSABLE: (200, POLICY, "This tool's schema cannot be used.", "`why` in the audit event says what is wrong with the approved `inputSchema`: mend it at the server and pin the new definition, or set `tools.arguments: off`"),
    Reason.INVALID_ARGUMENTS: (200, INVALID_PARAMS, "The arguments do not fit the tool's schema.", "send what the tool's `inputSchema` asks for; the message and `why` in the audit event name the argument and the keyword of the schema"),
    Reason.ARGUMENTS_TOO_COMPLEX: (200, INVALID_PARAMS, "The arguments are too large or too deep to be checked against the tool's schema.", "send less in one call, or write the schema with fewer alternatives and patterns"),
    Reason.POLICY_DENIED: (200, POLICY, "A policy denies this call.", "`why` in the audit event names the policy"),
    Reason.POLICY_ERROR: (200, POLICY, "A policy for this call cannot be evaluated.", "`policies` in the audit event names the policy, the condition, what it could not read and why"),
    Reason.STEP_UP_REQUIRED: (
        403, POLICY, "This call needs a stronger sign-in.", "sign in again with what the challenge asks for (the status is 401 if no scope is missing)",
    ),
    Reason.APPROVAL_REQUIRED: (200, POLICY, "A person must approve this call.", "open the page that the answer names, and make the same call again once it is approved"),
    Reason.APPROVAL_IMPOSSIBLE: (200, POLICY, "A person would have to approve this call, and it cannot be approved.", "completions, and messages that are not requests, cannot be approved: leave what they name out of policies with `then: require_approval`; a number that no double holds (`9007199254740993.0`, `1e-400`, `-0`) cannot be either: send it as a string; and the parameters may have 64 KiB at most"),
    Reason.APPROVAL_REJECTED: (200, POLICY, "This call was not approved.", "an approver has rejected exactly this call: change the call, or make it again after the time that the approvers had"),
    Reason.APPROVAL_LIMIT: (200, POLICY, "Too many requests for approval are open or were made lately.", "wait until some are decided, or for an hour, or raise `approvals.max_open_per_subject`"),
    Reason.APPROVAL_SPENT: (200, POLICY, "The approval of this call was used or has ended.", "make the call again: a new approval is asked for, since each is good for one call and for `approvals.grant_ttl`"),
    Reason.APPROVAL_STATE_UNKNOWN: (200, POLICY, "This call continues one that is not known.", "a call to what a policy may want approved carries a `requestState` that Process has not seen its server send to this caller for the same tool and arguments: begin again without it, and see that responses pass through Process"),
    Reason.UNKNOWN_TARGET: (200, INVALID_PARAMS, "Unknown target.", "the metric and the audit event have the true Reason"),
    Reason.TASK_UNBOUND: (200, UPSTREAM, "The server told of a task that is not known to be the caller's.", "a server may make a task only for a `tools/call` whose client can use one, and tell of it only to who asks for it by its id: see docs/tasks.md"),
    Reason.LIST_TOO_LONG: (502, UPSTREAM, "The server's list is too long.", "let the server return its lists in pages"),
    Reason.LISTED_TWICE: (502, UPSTREAM, "The server lists a name twice.", "give each tool, resource and prompt of the server its own name"),
    Reason.RESPONSE_NOT_MCP: (502, UPSTREAM, "The server did not answer with MCP.", "the backend answered with a redirect, a challenge, an error page or another media type (a client's error keeps its status): see its log, and docs/responses.md for what passes"),
    Reason.RESPONSE_ENCODED: (502, UPSTREAM, "The response is compressed and cannot be inspected.", "turn compression off in the backend: `accept-encoding` is removed from its requests"),
    Reason.RESPONSE_TOO_LARGE: (200, UPSTREAM, "The response is too large to be inspected.", "ask for less, or raise `limits.response_bytes`"),
    Reason.RESPONSE_UNREADABLE: (200, UPSTREAM, "The response cannot be read.", "the backend sent what is not one strict JSON-RPC 2.0 message (docs/responses.md): see its log"),
    Reason.UNMASKABLE: (200, UPSTREAM, "The response cannot be inspected to its end.", "data protection has to look at every value, and this message is nested too deeply, costs too much to inspect, or holds binary content; `masking` in the audit event says which: let the server return less, or set `binary: pass` in the rule if images and files may pass"),
    Reason.MASKING_INCOMPLETE: (200, UPSTREAM, "The response could not be masked.", "something that a data-protection rule looks for was still in the message after it was masked: this is a defect of agen-authz, report it with the detectors that `masking` in the audit event names"),
    Reason.PROVIDER_UNAVAILABLE: (503, UNAVAILABLE, "The identity provider does not answer.", "`/readyz` and the log name the cause"),
    Reason.KEY_UNSETTLED: (
        503, UNAVAILABLE, "It is not known yet whether the access token's key is published.",
        "call again: the sidecar asks a provider about unknown keys once in each `providers[].jwks.cooldown`; many such answers mean many tokens with unknown keys",
    ),
    Reason.STORE_UNAVAILABLE: (503, UNAVAILABLE, "The store does not answer.", "see that the store named under `store` answers"),
    Reason.AUDIT_UNAVAILABLE: (503, UNAVAILABLE, "The decision cannot be recorded.", "see `agen_audit_events_total`: the disk is full, or what reads the events is slow or gone"),
    Reason.DEADLINE: (503, UNAVAILABLE, "The decision took too long.", "compare `server.check_timeout` with Envoy's timeout; if `why` names a provider, see its line in `/readyz`"),
    Reason.OVERLOADED: (503, UNAVAILABLE, "Too many calls at once.", "call again; `limits.in_flight` bounds the calls that may wait"),
    Reason.DRAINING: (503, UNAVAILABLE, "Shutting down.", "call again"),
    Reason.INTERNAL_ERROR: (500, INTERNAL, "The decision failed.", "this is a defect: report it with the traceback in the log"),
}  # fmt: skip

REFUSALS: dict[Reason, Refusal] = {reason: Refusal(*row) for reason, row in _ROWS.items()}

# What a caller must not be able to tell apart: not allowed, not named by a rule, hidden by pinning.
HIDDEN: frozenset[Reason] = frozenset({Reason.UNMAPPED, Reason.NOT_GRANTED, Reason.TOOL_UNPINNED, Reason.TOOL_CHANGED})
