"""What a recorded Reason was decided by, so that a replay says which decisions it cannot take again."""

from collections.abc import Mapping
from enum import Enum

from agen_authz.core.reason import Reason


class Stage(Enum):
    """What decided; the value names what a replay would need and no event holds, empty if nothing is missing.

    OUTSIDE is all that no draft decides: the token, the message, the session, the surroundings, the response.
    """

    OUTSIDE = ("outside", "")
    RULES = ("rules", "")
    POLICIES = ("policies", "")
    DEFINITIONS = ("definitions", "the tool's approved definitions")
    ARGUMENTS = ("arguments", "the arguments and the tool's approved definitions")
    TASKS = ("tasks", "whose a task is")
    APPROVALS = ("approvals", "how approvals stood")

    @property
    def missing(self) -> str:
        """What no event holds."""
        return self.value[1]


# INVARIANT: every Reason is in one of them (tests/authoring/replay).
STAGES: Mapping[Stage, frozenset[Reason]] = {
    Stage.POLICIES: frozenset(
        {
            Reason.ALLOWED, Reason.POLICY_DENIED, Reason.POLICY_ERROR, Reason.STEP_UP_REQUIRED,
            Reason.APPROVAL_REQUIRED, Reason.APPROVAL_IMPOSSIBLE, Reason.APPROVAL_REJECTED,
        }
    ),
    Stage.RULES: frozenset(
        {
            Reason.UNMAPPED, Reason.NOT_GRANTED, Reason.METHOD_DENIED, Reason.UNKNOWN_METHOD,
        }
    ),
    Stage.DEFINITIONS: frozenset(
        {
            Reason.TOOL_UNPINNED, Reason.TOOL_CHANGED, Reason.SCHEMA_UNUSABLE,
        }
    ),
    Stage.ARGUMENTS: frozenset(
        {
            Reason.INVALID_ARGUMENTS, Reason.ARGUMENTS_TOO_COMPLEX,
        }
    ),
    Stage.TASKS: frozenset(
        {
            Reason.TASK_UNSUPPORTED, Reason.TASK_UNKNOWN,
        }
    ),
    Stage.APPROVALS: frozenset(
        {
            Reason.APPROVAL_LIMIT, Reason.APPROVAL_SPENT, Reason.APPROVAL_STATE_UNKNOWN,
        }
    ),
    Stage.OUTSIDE: frozenset(
        {
            Reason.METADATA, Reason.APPROVAL_TASK, Reason.PREFLIGHT, Reason.UNKNOWN_HOST, Reason.UNKNOWN_PATH,
            Reason.FOREIGN_QUERY, Reason.METHOD_NOT_ALLOWED, Reason.UPGRADE_REFUSED, Reason.UNEXPECTED_BODY,
            Reason.REQUEST_UNREADABLE,
            Reason.HEADER_MALFORMED, Reason.HEADER_UNDERSCORE, Reason.HEADER_REPEATED, Reason.AUTHORIZATION_MALFORMED,
            Reason.ORIGIN_REFUSED, Reason.TOKEN_MISSING, Reason.TOKEN_MALFORMED, Reason.TOKEN_ALGORITHM,
            Reason.TOKEN_TYPE, Reason.TOKEN_CRITICAL_HEADER, Reason.TOKEN_ISSUER, Reason.TOKEN_KEY_UNKNOWN,
            Reason.TOKEN_SIGNATURE, Reason.TOKEN_ID_TOKEN, Reason.TOKEN_KEY_BOUND, Reason.TOKEN_EXPIRED,
            Reason.TOKEN_NOT_YET_VALID, Reason.TOKEN_TOO_OLD, Reason.TOKEN_AUDIENCE, Reason.TOKEN_CLIENT,
            Reason.TOKEN_CLAIM, Reason.TOKEN_TENANT, Reason.TOKEN_ROLE, Reason.TOKEN_REVOKED, Reason.TENANT_MISSING,
            Reason.SCOPE_MISSING, Reason.MEDIA_TYPE, Reason.CONTENT_ENCODING, Reason.BODY_EMPTY, Reason.BODY_PARTIAL,
            Reason.BODY_TOO_LARGE, Reason.BODY_AS_TEXT, Reason.JSON_SYNTAX, Reason.JSON_ENCODING,
            Reason.JSON_DUPLICATE_KEY, Reason.JSON_NUMBER, Reason.JSON_SURROGATE, Reason.JSON_DEPTH,
            Reason.JSON_VALUES, Reason.JSON_KEY_TWIN, Reason.BATCH, Reason.NOT_A_MESSAGE, Reason.ID_MALFORMED,
            Reason.ID_MISSING, Reason.ID_UNEXPECTED, Reason.POSTED_RESPONSE, Reason.VERSION_UNSUPPORTED,
            Reason.ERA_CONFUSION, Reason.META_MISSING, Reason.HEADER_MISSING, Reason.HEADER_MISMATCH,
            Reason.PARAMS_MALFORMED, Reason.MALFORMED_TARGET, Reason.SESSION_MISSING, Reason.SESSION_UNKNOWN,
            Reason.UNKNOWN_TARGET, Reason.LIST_TOO_LONG, Reason.LISTED_TWICE, Reason.RESPONSE_NOT_MCP,
            Reason.RESPONSE_ENCODED, Reason.RESPONSE_TOO_LARGE, Reason.RESPONSE_UNREADABLE, Reason.UNMASKABLE,
            Reason.MASKING_INCOMPLETE, Reason.TASK_UNBOUND,
            Reason.PROVIDER_UNAVAILABLE, Reason.KEY_UNSETTLED, Reason.STORE_UNAVAILABLE, Reason.AUDIT_UNAVAILABLE,
            Reason.DEADLINE, Reason.OVERLOADED, Reason.DRAINING, Reason.INTERNAL_ERROR,
        }
    ),
}  # fmt: skip
_STAGE_OF = {reason.value: stage for stage, reasons in STAGES.items() for reason in reasons}


def find_stage(reason: str) -> Stage:
    """Find what decided; a Reason that this version does not know is taken to be outside of a draft."""
    return _STAGE_OF.get(reason, Stage.OUTSIDE)
