"""The whole decision in this process: bytes in, bytes out, the audit line and metrics kept as in production."""

import os
import time

from prometheus_client import CollectorRegistry

from agen_authz.adapters.audit import StdoutSink
from agen_authz.adapters.metrics import PrometheusMetrics
from bench.subject import build_check_request, build_servicer

WARM_UP, CALLS, ROUNDS = 500, 2000, 5


class Decision:
    """One servicer and one request, decided again and again.

    Args:
        rules: how many access rules there are; one names the tool that is called.
        policies: how many policies there are; two are about the call.
        raw: the CheckRequest; the usual one where it is not given.
    """

    def __init__(self, rules: int = 10, policies: int = 2, raw: bytes | None = None) -> None:
        metrics = PrometheusMetrics(CollectorRegistry())
        sink = StdoutSink(os.open(os.devnull, os.O_WRONLY), metrics)
        self._servicer = build_servicer(sink, metrics, rules, policies)
        self._raw = build_check_request() if raw is None else raw
        for _ in range(WARM_UP if raw is None else 1):
            self.decide()

    def decide(self) -> bytes:
        """Decide once; nothing that it needs has to be waited for."""
        try:
            self._servicer.check(self._raw, 1.0).send(None)
        except StopIteration as done:
            answer: bytes = done.value
            return answer
        raise AssertionError("the decision waited for something")

    def time(self) -> float:
        """Time a decision, microseconds; the best of five rounds."""
        return min(self._time_round() for _ in range(ROUNDS))

    def _time_round(self) -> float:
        started = time.perf_counter()
        for _ in range(CALLS):
            self.decide()
        return (time.perf_counter() - started) / CALLS * 1e6
