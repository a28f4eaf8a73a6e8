"""Renders docs/metrics.md: every metric with its kind, its labels and its meaning; `make golden` writes it."""

from agen_authz.adapters.metrics.closed import MOST_SERVERS
from agen_authz.adapters.metrics.table import LABELS, METRICS, AtStart, MetricRow

_INTRO = """\
# Metrics

`agen-authz serve` exposes its metrics in Prometheus' text format at `/metrics` of `server.ops`
(`127.0.0.1:9464` by default). The supervisor answers for all processes: counters are those of all workers together,
also of workers that have ended. It waits for a worker at most half a second, and shows its last values otherwise.

[alerts.md](alerts.md) says which of them wake someone, and what to do then. `helm/agen-authz/files` has the rules and a
dashboard.

No label has a value that a caller chose. Each comes from the code or from the configuration:

| label | values |
|---|---|
"""
_TABLE = """
## All metrics

`0 at start` says whether the series exist, at 0, before anything is counted. A rate misses the first count of a series
that appears with it.

| metric | kind | labels | 0 at start | meaning |
|---|---|---|---|---|
"""
_REST = f"""
## What exists from the start

- `agen_decisions_total` has a series for each server of the configuration and each Reason that can occur there: some
  100 a server. With more than {MOST_SERVERS} servers, those after the first {MOST_SERVERS} get series as they are
  counted. Reasons that occur before it is known which server is asked have an empty `server`.
- `agen_masked_total` and the other metrics of detectors get a series with the first value: detectors, styles and
  servers together would be thousands of series that stay at 0.
- The rest of what is 0 at the start is small: {{small}}.
- After a reload, series of servers, providers and policies that are new exist at 0 at once. Series of those that are
  gone stay until the server ends if something was counted.

## Processes

`process_*` has one series for each process, as the kernel shows it: the supervisor and every worker. Add them up over
`process` for the whole sidecar. Memory that processes share counts in each of them, so the sum of
`process_resident_memory_bytes` is larger than what the container uses. Other systems than Linux show none of them.
"""
_YES = {AtStart.ALL: "yes", AtStart.PART: "yes, see below", AtStart.NONE: ""}


def render() -> str:
    """Render the page."""
    labels = "".join(f"| `{label}` | {values} |\n" for label, values in LABELS.items())
    rows = "".join(map(_row, METRICS))
    small = ", ".join(f"`{row.exposed}`" for row in METRICS if row.start is AtStart.ALL and row.kind == "counter")
    return _INTRO + labels + _TABLE + rows + _REST.format(small=small)


def _row(row: MetricRow) -> str:
    labels = ", ".join(f"`{label}`" for label in row.labels)
    return f"| `{row.exposed}` | {row.kind} | {labels} | {_YES[row.start]} | {row.meaning} |\n"
