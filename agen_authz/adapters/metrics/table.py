"""Every metric, as it is exposed and as docs/metrics.md shows it: its name, kind, labels and meaning.

What is counted is made from these rows, so a metric that has no row cannot be made.
"""

from enum import StrEnum

from msgspec import Struct


class MetricKind(StrEnum):
    """A kind of metric, in Prometheus' words."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class AtStart(StrEnum):
    """Which series of a metric exist before anything is counted."""

    ALL = "all"
    PART = "all but some"
    NONE = "none"


class MetricRow(Struct, frozen=True):
    """One metric.

    Args:
        name: without the `_total` that a counter gets.
        start: which series exist from the start on; a rate misses the first count of a series that does not.
        is_added: for a gauge, True if the sidecar's value is the sum of its workers'; else it is the largest.
    """

    name: str
    kind: MetricKind
    labels: tuple[str, ...]
    meaning: str
    start: AtStart = AtStart.NONE
    is_added: bool = False

    @property
    def exposed(self) -> str:
        """The name as Prometheus has it."""
        return f"{self.name}_total" if self.kind is MetricKind.COUNTER else self.name


# Where the values of each label come from. None comes from a request.
LABELS = {
    "decision": "`allow`, `deny`, `step_up`, `await_approval` or `answer` (metadata and CORS preflights)",
    "detector": "a detector of the catalogue, or a `custom` one of the configuration",
    "effect": "`deny`, `step_up` or `require_approval`",
    "event": "listed with the metric",
    "flow": "the name of an approval flow of the configuration",
    "kind": "a kind of change, as [tools.md](tools.md) lists them; `pushed_out` for definitions that the store let go",
    "occasion": "`opened`, `step`, `reminder`, `approved`, `rejected`, `timed_out`, `used` or `cancelled`",
    "outcome": "listed with each metric",
    "policy": "the name of a policy of the configuration",
    "process": "`supervisor`, or the name of a worker",
    "provider": "the name of a provider of the configuration",
    "python": "the version of Python",
    "reason": "a [Reason](reasons.md)",
    "server": "the name of a resource of the configuration; empty if it is not known which one is asked",
    "rpc": "`check` or `process`",
    "setting": "the key of a setting that weakens",
    "sink": "where events go: `stdout`",
    "state": "`shadow` or `enforce`",
    "style": "how a value is masked",
    "task": "`approvals` (what time does to requests) or `outbox` (sending)",
    "version": "the version of the configuration, or of agen-authz",
    "worker": "`check`, `console`, `process`, `process-2` and so on",
}

_C, _G, _H = MetricKind.COUNTER, MetricKind.GAUGE, MetricKind.HISTOGRAM

# ---- what workers count ------------------------------------------------------------------------------------

DECISIONS = MetricRow(
    "agen_decisions",
    _C,
    ("decision", "reason", "server"),
    "Decisions of Check.",
    AtStart.PART,
)
DECISION_SECONDS = MetricRow(
    "agen_decision_seconds",
    _H,
    ("server",),
    "Time from the arrival of a call to its decision, in seconds.",
    AtStart.ALL,
)
POLICY_MATCHES = MetricRow(
    "agen_policy_matches",
    _C,
    ("policy", "effect", "state"),
    "Policies that applied to a call, or could not be evaluated for it.",
    AtStart.ALL,
)
APPROVALS = MetricRow(
    "agen_approvals",
    _C,
    ("flow", "event"),
    "Requests for approval: `asked`, `approved` (by one person, or by the clock), `rejected`, `timed_out`, `used`,"
    " `lapsed` (approved, and not used in time), `cancelled`, `unmasked` (an approver read the arguments unmasked),"
    " `refused` (a person tried to decide or withdraw it who may not).",
    AtStart.ALL,
)
APPROVAL_WAIT = MetricRow(
    "agen_approval_wait_seconds",
    _H,
    ("flow",),
    "Time from the request for an approval that was used to the decision of its approvers, in seconds.",
    AtStart.ALL,
)
NOTIFICATIONS = MetricRow(
    "agen_notifications",
    _C,
    ("occasion", "outcome"),
    "Messages to people: `sent`, `failed` (it is tried again), `given_up`, `nowhere` (no channel or mail server leads"
    " there) or `outdated` (what it asks for is decided).",
)
TASK_DEFECTS = MetricRow(
    "agen_task_defects",
    _C,
    ("task",),
    "Defects that ended one step of a background task; the task continues, and the log has the traceback.",
)
RESPONSES = MetricRow(
    "agen_responses",
    _C,
    ("server", "outcome"),
    "Responses that Process read: `passed`, `changed`, `masked`, `skipped`, `withheld`, `blocked`, `expired` or"
    " `aborted`; [responses.md](responses.md) says what each means.",
    AtStart.ALL,
)
UNREAD = MetricRow(
    "agen_responses_unread",
    _C,
    ("server",),
    "Responses of which something passed without being inspected, because every rule of the call has"
    " `on_failure: pass`.",
    AtStart.ALL,
)
MASKED = MetricRow("agen_masked", _C, ("detector", "style", "server"), "Values that enforced rules masked.")
MASKED_SHADOW = MetricRow(
    "agen_masked_shadow", _C, ("detector", "style", "server"), "Values that rules in shadow would have masked."
)
MASKING_INCOMPLETE = MetricRow(
    "agen_masking_incomplete",
    _C,
    ("server",),
    "Messages that were withheld because something was left after masking: a defect of agen-authz.",
    AtStart.ALL,
)
UNRULED = MetricRow(
    "agen_unruled", _C, ("detector", "server"), "Values in samples that no data-protection rule covers."
)
COPIES = MetricRow(
    "agen_response_copies",
    _C,
    ("server", "outcome"),
    "Copies of responses that pass as they are: `found`, `clean`, `unread` (not readable to the end) or `dropped` (too"
    " large, or no room).",
    AtStart.ALL,
)
DRIFT = MetricRow(
    "agen_tool_drift",
    _C,
    ("server", "kind"),
    "Definitions of tools that were seen for the first time, by what changed.",
    AtStart.ALL,
)
TOOLS_UNMAPPED = MetricRow(
    "agen_tools_unmapped", _G, ("server",), "Tools that a server lists and no access rule names."
)
AUDIT_EVENTS = MetricRow(
    "agen_audit_events",
    _C,
    ("sink", "outcome"),
    "Audit events: `written`, or `failed`, which denies the call.",
    AtStart.ALL,
)
AUDIT_QUEUE_DEPTH = MetricRow(
    "agen_audit_queue_depth", _G, ("sink",), "Audit events that wait to be written.", AtStart.ALL, is_added=True
)
AUDIT_QUEUE_LIMIT = MetricRow(
    "agen_audit_queue_limit",
    _G,
    ("sink",),
    "How many audit events may wait at most (`limits.in_flight`); one more is lost, and its call is denied.",
    AtStart.ALL,
)
CALLS_IN_FLIGHT = MetricRow(
    "agen_calls_in_flight",
    _G,
    ("rpc",),
    "Calls of Check that wait to be decided or for a provider, and open streams of Process.",
    AtStart.ALL,
    is_added=True,
)
JWKS_REFRESH = MetricRow(
    "agen_jwks_refresh",
    _C,
    ("provider", "outcome"),
    "Attempts to fetch a provider's keys: `ok`, `failed` (no answer) or `malformed` (an answer without usable keys).",
    AtStart.ALL,
)
JWKS_AGE = MetricRow(
    "agen_jwks_age_seconds",
    _G,
    ("provider",),
    "How long ago a provider's keys were fetched; missing until the first fetch has succeeded.",
)
JWKS_MAX_AGE = MetricRow(
    "agen_jwks_max_age_seconds",
    _G,
    ("provider",),
    "The age at which keys are no longer believed (`jwks.refresh` and `jwks.keep_stale` together).",
    AtStart.ALL,
)
JWKS_KEYS = MetricRow(
    "agen_jwks_keys",
    _G,
    ("provider",),
    "Keys of a provider that tokens are verified with now; 0 once they are too old.",
    AtStart.ALL,
)
POLICY_SET = MetricRow("agen_policy_set_info", _G, ("version",), "1 for the configuration that decides.")
WEAKENED = MetricRow(
    "agen_weakened", _G, ("setting",), "1 for each setting that makes the sidecar weaker than its defaults."
)

# ---- what the supervisor counts ----------------------------------------------------------------------------

BUILD = MetricRow("agen_build_info", _G, ("version", "python"), "1; the labels say what runs.", AtStart.ALL)
CHECK_TIMEOUT = MetricRow(
    "agen_check_timeout_seconds", _G, (), "How long Envoy waits for Check (`server.check_timeout`).", AtStart.ALL
)
RELOADS = MetricRow(
    "agen_policy_reload", _C, ("outcome",), "Reloads of the configuration: `ok` or `failed`.", AtStart.ALL
)
RELOAD_OK = MetricRow(
    "agen_policy_reload_ok",
    _G,
    (),
    "1 if the last reload took effect in every worker, 0 if the last good configuration still decides.",
    AtStart.ALL,
)
RELOAD_TIME = MetricRow(
    "agen_policy_reload_timestamp_seconds",
    _G,
    (),
    "When the configuration took effect last: a good reload or the start, in seconds since 1970 (UTC).",
    AtStart.ALL,
)
WORKER_UP = MetricRow(
    "agen_worker_up", _G, ("worker",), "1 if the worker serves and answers the supervisor.", AtStart.ALL
)
WORKER_RESTARTS = MetricRow(
    "agen_worker_restarts", _C, ("worker",), "How often a worker was started again.", AtStart.ALL
)

# ---- what the kernel knows of each process; the client library reads it --------------------------------------

PROCESS = tuple(
    MetricRow(name, kind, ("process",), meaning, AtStart.ALL)
    for name, kind, meaning in (
        ("process_cpu_seconds", _C, "User and system CPU time, in seconds."),
        ("process_max_fds", _G, "How many file descriptors may be open."),
        ("process_open_fds", _G, "Open file descriptors."),
        ("process_resident_memory_bytes", _G, "Resident memory; shared pages count in each process."),
        ("process_start_time_seconds", _G, "When the process started, in seconds since 1970 (UTC)."),
        ("process_virtual_memory_bytes", _G, "Virtual memory."),
    )
)

METRICS: tuple[MetricRow, ...] = (
    DECISIONS, DECISION_SECONDS, CALLS_IN_FLIGHT, CHECK_TIMEOUT, POLICY_MATCHES,
    APPROVALS, APPROVAL_WAIT, NOTIFICATIONS, TASK_DEFECTS,
    RESPONSES, UNREAD, MASKED, MASKED_SHADOW, MASKING_INCOMPLETE, UNRULED, COPIES,
    DRIFT, TOOLS_UNMAPPED,
    AUDIT_EVENTS, AUDIT_QUEUE_DEPTH, AUDIT_QUEUE_LIMIT,
    JWKS_REFRESH, JWKS_AGE, JWKS_MAX_AGE, JWKS_KEYS,
    RELOADS, RELOAD_OK, RELOAD_TIME, POLICY_SET, WEAKENED,
    WORKER_UP, WORKER_RESTARTS, BUILD,
    *PROCESS,
)  # fmt: skip
ROWS = {row.name: row for row in METRICS}
