"""The panels of the Grafana dashboard: what each shows, in which unit, and the expressions that it asks Prometheus."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Look(StrEnum):
    """How a panel is drawn."""

    LINES = "timeseries"
    STACK = "stacked timeseries"
    NUMBER = "stat"


@dataclass(frozen=True, slots=True)
class Query:
    """An expression and what its lines are called."""

    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; `bad_from` is the value from which on a number is shown in red."""

    title: str
    meaning: str
    unit: str
    queries: tuple[Query, ...]
    look: Look = Look.LINES
    bad_from: float | None = None


# Every panel is about the installations that are chosen on top.
OF = 'namespace=~"$namespace",job=~"$job"'
OF_SERVER = f'{OF},server=~"$server"'
DENIED, REFUSED = (f'{OF_SERVER},decision=~"{words}"' for words in ("deny", "deny|step_up"))
FAULTS = "[a-z]+_unavailable|key_unsettled|deadline|overloaded|draining|internal_error"
_CALLS, _VALUES, _SHARE, _SECONDS, _COUNT = "reqps", "ops", "percentunit", "s", "short"


def _rate(metric: str, of: str = OF_SERVER) -> str:
    return f"rate({metric}{{{of}}}[$__rate_interval])"


def _sum(metric: str, by: str, of: str = OF_SERVER) -> str:
    return f"sum by ({by}) ({_rate(metric, of)})"


def _quantile(share: float, by: str = "le") -> str:
    return f"histogram_quantile({share}, {_sum('agen_decision_seconds_bucket', by)})"


def _waited(share: float) -> str:
    # Over a day: few calls wait for people.
    buckets = f"sum by (flow, le) (increase(agen_approval_wait_seconds_bucket{{{OF}}}[1d]))"
    return f"histogram_quantile({share}, {buckets})"


_DENIED = f"sum({_rate('agen_decisions_total', DENIED)})"
_ALL = f"sum({_rate('agen_decisions_total')})"

OVERVIEW = (
    Panel("Calls", "Decisions a second.", _CALLS, (Query(_ALL, "calls"),), Look.NUMBER),
    Panel("Denied", "Share of decisions that deny.", _SHARE, (Query(f"{_DENIED} / {_ALL}", "denied"),), Look.NUMBER),
    Panel(
        "p99 of a decision",
        "One decision in a hundred takes this long or longer.",
        _SECONDS,
        (Query(_quantile(0.99), "p99"),),
        Look.NUMBER,
    ),
    Panel(
        "Masked values",
        "Values that were masked, a second.",
        _VALUES,
        (Query(f"sum({_rate('agen_masked_total')}) or vector(0)", "masked"),),
        Look.NUMBER,
    ),
    Panel(
        "Workers down",
        "Workers that do not serve, or do not answer their supervisor.",
        _COUNT,
        (Query(f"count(agen_worker_up{{{OF}}} == 0) or vector(0)", "down"),),
        Look.NUMBER,
        bad_from=1,
    ),
    Panel(
        "Weakening settings",
        "Settings that make the sidecar weaker than its defaults.",
        _COUNT,
        (Query(f"count(count by (setting) (agen_weakened{{{OF}}})) or vector(0)", "settings"),),
        Look.NUMBER,
    ),
)
TRAFFIC = (
    Panel(
        "Decisions",
        "What Check answers: allow, deny, step_up, await_approval, or answer (metadata and preflights).",
        _CALLS,
        (Query(_sum("agen_decisions_total", "decision"), "{{decision}}"),),
        Look.STACK,
    ),
    Panel(
        "Decisions by server",
        "Calls of each MCP server. Empty: it is not known which one is asked.",
        _CALLS,
        (Query(_sum("agen_decisions_total", "server"), "{{server}}"),),
        Look.STACK,
    ),
    Panel(
        "In flight",
        "Calls of Check that wait, and open streams of Process.",
        _COUNT,
        (Query(f"sum by (rpc) (agen_calls_in_flight{{{OF}}})", "{{rpc}}"),),
    ),
)
DENIALS = (
    Panel(
        "Denials by Reason",
        "The ten most frequent Reasons; docs/reasons.md has the cure for each.",
        _CALLS,
        (
            Query(
                f"topk(10, {_sum('agen_decisions_total', 'reason', REFUSED)} > 0)",
                "{{reason}}",
            ),
        ),
        Look.STACK,
    ),
    Panel(
        "Denials by server",
        "Denials of each MCP server.",
        _CALLS,
        (Query(_sum("agen_decisions_total", "server", DENIED), "{{server}}"),),
        Look.STACK,
    ),
    Panel(
        "Denied by faults",
        "Good calls that were denied because a part is unavailable, late, overloaded or broken.",
        _CALLS,
        (Query(_sum("agen_decisions_total", "reason", f'{OF_SERVER},reason=~"{FAULTS}"'), "{{reason}}"),),
        Look.STACK,
    ),
    Panel(
        "Policies",
        "Policies that applied or could not be evaluated, those in shadow too.",
        _CALLS,
        (Query(_sum("agen_policy_matches_total", "policy, effect, state", OF), "{{policy}} ({{effect}}, {{state}})"),),
    ),
)
LATENCY = (
    Panel(
        "Time to a decision",
        "From the arrival of a call to its decision. What takes longer than Envoy waits is denied.",
        _SECONDS,
        (
            Query(_quantile(0.5), "p50"),
            Query(_quantile(0.9), "p90"),
            Query(_quantile(0.99), "p99"),
            Query(f"max(agen_check_timeout_seconds{{{OF}}})", "Envoy waits"),
        ),
    ),
    Panel(
        "p99 by server",
        "One decision in a hundred takes this long or longer.",
        _SECONDS,
        (Query(_quantile(0.99, "server, le"), "{{server}}"),),
    ),
)
MASKING = (
    Panel(
        "Responses",
        "What became of responses; docs/responses.md says what each word means.",
        _CALLS,
        (Query(_sum("agen_responses_total", "outcome"), "{{outcome}}"),),
        Look.STACK,
    ),
    Panel(
        "Masked values by detector",
        "Values that enforced rules masked; the ten most frequent detectors.",
        _VALUES,
        (Query(f"topk(10, {_sum('agen_masked_total', 'detector')})", "{{detector}}"),),
        Look.STACK,
    ),
    Panel(
        "Would be masked",
        "Values that rules in shadow would have masked, and values in samples that no rule covers.",
        _VALUES,
        (
            Query(_sum("agen_masked_shadow_total", "detector"), "{{detector}} (shadow)"),
            Query(_sum("agen_unruled_total", "detector"), "{{detector}} (no rule)"),
        ),
    ),
    Panel(
        "Not inspected, not masked",
        "Responses that passed without being inspected, and messages that were withheld because something was left.",
        _CALLS,
        (
            Query(_sum("agen_responses_unread_total", "server"), "{{server}} passed uninspected"),
            Query(_sum("agen_masking_incomplete_total", "server"), "{{server}} masking incomplete"),
        ),
    ),
)
DRIFT = (
    Panel(
        "Changed tools",
        "Definitions of tools that were seen for the first time in the last hour, by what changed.",
        _COUNT,
        (
            Query(
                f"sum by (server, kind) (increase(agen_tool_drift_total{{{OF_SERVER}}}[1h])) > 0",
                "{{server}}: {{kind}}",
            ),
        ),
    ),
    Panel(
        "Unmapped tools",
        "Tools that a server lists and no access rule names: no caller can use them.",
        _COUNT,
        (Query(f"max by (server) (agen_tools_unmapped{{{OF_SERVER}}})", "{{server}}"),),
    ),
)
HEALTH = (
    Panel(
        "Age of keys",
        "How old the keys of each provider are, as a share of the age at which they are no longer believed.",
        _SHARE,
        (
            Query(
                f"max by (provider) (agen_jwks_age_seconds{{{OF}}} / agen_jwks_max_age_seconds{{{OF}}})", "{{provider}}"
            ),
        ),
    ),
    Panel(
        "Fetches of keys",
        "Attempts to fetch the keys of providers.",
        _CALLS,
        (Query(_sum("agen_jwks_refresh_total", "provider, outcome", OF), "{{provider}}: {{outcome}}"),),
    ),
    Panel(
        "Age of the configuration",
        "How long ago a configuration took effect last, in the replica where that is longest ago.",
        _SECONDS,
        (Query(f"time() - min(agen_policy_reload_timestamp_seconds{{{OF}}})", "age"),),
    ),
    Panel(
        "Configurations",
        "How many versions decide at the same time, and how many replicas could not load the newest.",
        _COUNT,
        (
            Query(f"count(count by (version) (agen_policy_set_info{{{OF}}}))", "versions"),
            Query(f"count(agen_policy_reload_ok{{{OF}}} == 0) or vector(0)", "failed reloads"),
        ),
    ),
    Panel(
        "Audit events",
        "Events that were written, and those that could not be, whose calls were denied.",
        _CALLS,
        (Query(_sum("agen_audit_events_total", "sink, outcome", OF), "{{sink}}: {{outcome}}"),),
    ),
    Panel(
        "Audit queue",
        "Events that wait, as a share of those that may.",
        _SHARE,
        (Query(f"max by (sink) (agen_audit_queue_depth{{{OF}}} / agen_audit_queue_limit{{{OF}}})", "{{sink}}"),),
    ),
    Panel(
        "Restarts of workers",
        "How often workers were started again in the last hour.",
        _COUNT,
        (Query(f"sum by (worker) (increase(agen_worker_restarts_total{{{OF}}}[1h]))", "{{worker}}"),),
    ),
    Panel(
        "CPU",
        "Cores that each process uses, in all replicas.",
        _COUNT,
        (Query(_sum("process_cpu_seconds_total", "process", OF + ',process!=""'), "{{process}}"),),
        Look.STACK,
    ),
    Panel(
        "Memory",
        "Resident memory of each process; pages that processes share count in each of them.",
        "bytes",
        (Query(f'max by (process) (process_resident_memory_bytes{{{OF},process!=""}})', "{{process}}"),),
    ),
    Panel(
        "File descriptors",
        "Open file descriptors, as a share of those that may be open.",
        _SHARE,
        (
            Query(
                f'max by (process) (process_open_fds{{{OF},process!=""}} / process_max_fds{{{OF},process!=""}})',
                "{{process}}",
            ),
        ),
    ),
    Panel(
        "Weakening settings",
        "Replicas in which each setting weakens the sidecar.",
        _COUNT,
        (Query(f"sum by (setting) (agen_weakened{{{OF}}})", "{{setting}}"),),
    ),
)

APPROVALS = (
    Panel(
        "Requests for approval",
        "Requests in the last hour: those that were asked, and what became of them.",
        _COUNT,
        (Query(f"sum by (event) (increase(agen_approvals_total{{{OF}}}[1h]))", "{{event}}"),),
    ),
    Panel(
        "Requests by flow",
        "Requests of each flow in the last hour: asked, and ended without a decision.",
        _COUNT,
        (
            Query(
                f'sum by (flow, event) (increase(agen_approvals_total{{{OF},event=~"asked|timed_out"}}[1h]))',
                "{{flow}}: {{event}}",
            ),
        ),
    ),
    Panel(
        "Time until approvers decide",
        "Half of the approvals that were used waited this long or longer for their decision, and one in ten.",
        _SECONDS,
        (Query(_waited(0.5), "{{flow}} p50"), Query(_waited(0.9), "{{flow}} p90")),
    ),
    Panel(
        "Messages to people",
        "Messages in the last hour: sent, failed (tried again), given_up, nowhere (no channel) or outdated.",
        _COUNT,
        (Query(f"sum by (outcome) (increase(agen_notifications_total{{{OF}}}[1h]))", "{{outcome}}"),),
    ),
)

ROWS: tuple[tuple[str, Sequence[Panel]], ...] = (
    ("Overview", OVERVIEW),
    ("Traffic", TRAFFIC),
    ("Denials", DENIALS),
    ("Latency", LATENCY),
    ("Responses and masking", MASKING),
    ("Approvals", APPROVALS),
    ("Drift of tools", DRIFT),
    ("Health", HEALTH),
)
