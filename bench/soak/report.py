"""What a soak found, as a table, and whether it is good."""

import re
from collections.abc import Iterator

import httpx

from bench.soak.run import Soak
from bench.soak.watch import Metrics, Sample, find_growth

# Shorter than this, what is remembered has not filled, and growth says nothing.
JUDGED_S = 120.0
# What is lost is not wrong, but a soak that serves little shows little.
MAX_LOST = 0.01
_SHOWN = (0.1, 0.33, 0.5, 0.67, 1.0)
_ERROR, _PROVOKED = '"level": "error"', "the new configuration is "
_COUNTERS = re.compile(
    r"^(cluster\.agen-authz\.(?:upstream_cx_total|upstream_cx_close_notify|upstream_cx_destroy_remote_with_active_rq"
    r"|upstream_rq_rx_reset|upstream_rq_tx_reset|upstream_rq_timeout|upstream_cx_connect_fail)"
    r"|cluster\.resource-\w+\.(?:upstream_rq_rx_reset|upstream_cx_connect_fail"
    r"|upstream_cx_destroy_remote_with_active_rq)"
    r"|.*ext_authz\.(?:agen\.)?(?:ok|denied|error|timeout|failure_mode_allowed)): ([1-9]\d*)$",
    re.MULTILINE,
)


def find_problems(soak: Soak, metrics: Metrics) -> list[str]:
    """List why this soak failed; nothing when it is good."""
    found = [f"wrong answer: {told}" for told in soak.faults.told]
    if (more := soak.faults.count - len(soak.faults.told)) > 0:
        found.append(f"and {more} more wrong answers")
    calls = sum(soak.tally.calls.values())
    if sum(soak.faults.lost.values()) > max(2.0, MAX_LOST * calls):
        found.append(f"more than {MAX_LOST:.0%} of the calls were lost: {dict(soak.faults.lost)}")
    decided, written = metrics.total("agen_decisions_total"), soak.stage.count_events()
    if decided != written:
        found.append(f"{decided:.0f} decisions left {written} audit events")
    found += _find_in_log(soak.stage.sidecar_log())
    if soak.plan.seconds >= JUDGED_S:
        found += find_growth(soak.samples)
    return found


def _find_in_log(log: str) -> Iterator[str]:
    """Yield the defects that the sidecar's log reports, but not what we provoke."""
    lines = [line for line in log.splitlines() if _ERROR in line or "Traceback" in line]
    defects = [line for line in lines if _PROVOKED not in line]
    if defects:
        yield f"{len(defects)} errors in the sidecar's log, the first one: {defects[0][:400]}"


def render(soak: Soak, metrics: Metrics) -> str:
    """Write the summary."""
    rows = [*_counted({"calls": sum(soak.tally.calls.values())}, ""), *_counted(dict(sorted(soak.tally.calls.items())))]
    aborts = sum(count for kind, count in soak.tally.calls.items() if kind.startswith("abort"))
    rows += ["", *_counted({"wrong answers": soak.faults.count, "aborts": aborts}, "")]
    rows += _counted(dict(soak.conductor.done), "")
    rows += ["lost, not wrong (fail closed)", *(_counted(dict(soak.faults.lost)) or ["  none"])]
    rows += ["", *_memory(soak.samples)]
    rows += ["", *_counted({"decisions": int(metrics.total("agen_decisions_total"))}, "")]
    rows += ["Envoy's counters", *_envoy(soak.stage.admin)]
    return "\n".join(rows)


def _counted(counts: dict[str, int], indent: str = "  ") -> list[str]:
    return [f"{indent + name:<62}{count:>9}" for name, count in counts.items()]


def _memory(samples: list[Sample]) -> list[str]:
    if not samples:
        return ["no samples"]
    rows = [f"{'at':<8}{'sidecar MB':>12}{'files':>8}{'threads':>9}{'Envoy MB':>10}"]
    for share in _SHOWN:
        seen = samples[max(0, round(len(samples) * share) - 1)]
        rows.append(f"{share:<8.0%}{seen.rss_mb:>12.1f}{seen.files:>8}{seen.threads:>9}{seen.envoy_mb:>10.1f}")
    return rows


def _envoy(admin: str) -> list[str]:
    text = httpx.get(f"{admin}/stats", trust_env=False, timeout=15.0).text
    return _counted({name: int(value) for name, value in _COUNTERS.findall(text)})
