"""Plays the controllers and the kubelet for one namespace: what `helm --wait` and `helm test` look at becomes true.

Nothing runs. A Deployment has all its replicas, a claim its volume, a budget its pods, and a Job and a pod have ended.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import httpx

from tools.kube.server import Api

_EVERY_S = 0.3
_THEN = "2026-01-01T00:00:00Z"


@contextmanager
def playing(api: Api, namespace: str, *, tests_pass: bool = True) -> Iterator[None]:
    """Write statuses until the end of the block."""
    is_over = Event()
    thread = Thread(target=_play, args=(api, namespace, is_over, tests_pass), daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _play(api: Api, namespace: str, is_over: Event, tests_pass: bool) -> None:
    phase = "Succeeded" if tests_pass else "Failed"
    while not is_over.wait(_EVERY_S):
        for group, kind, write in _KINDS:
            place = f"{group}/namespaces/{namespace}/{kind}"
            try:
                for item in api.list_items(place):
                    status = write(item, phase)
                    if status is not None:
                        api.set_status(f"{place}/{item['metadata']['name']}", status)
            except httpx.HTTPError:
                continue


def _deployment(item: dict[str, Any], _: str) -> dict[str, Any] | None:
    seen, wanted = item.get("status", {}), item["spec"].get("replicas", 1)
    generation = item["metadata"]["generation"]
    if (seen.get("observedGeneration"), seen.get("readyReplicas")) == (generation, wanted):
        return None
    reasons = {"Available": "MinimumReplicasAvailable", "Progressing": "NewReplicaSetAvailable"}
    conditions = [_condition(kind, reason) for kind, reason in reasons.items()]
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), wanted)
    return {"observedGeneration": generation, "conditions": conditions, **counts}


def _budget(item: dict[str, Any], _: str) -> dict[str, Any] | None:
    generation = item["metadata"]["generation"]
    if item.get("status", {}).get("observedGeneration") == generation:
        return None
    counts = {"currentHealthy": 1, "desiredHealthy": 0, "expectedPods": 1, "disruptionsAllowed": 1}
    return {
        "observedGeneration": generation,
        "conditions": [_condition("DisruptionAllowed", "SufficientPods")],
        **counts,
    }


def _claim(item: dict[str, Any], _: str) -> dict[str, Any] | None:
    if item.get("status", {}).get("phase") == "Bound":
        return None
    return {"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}}


def _job(item: dict[str, Any], _: str) -> dict[str, Any] | None:
    if item.get("status", {}).get("succeeded"):
        return None
    done = [_condition(kind, "CompletionsReached") for kind in ("SuccessCriteriaMet", "Complete")]
    return {"succeeded": 1, "startTime": _THEN, "completionTime": _THEN, "conditions": done, "ready": 0}


def _pod(item: dict[str, Any], phase: str) -> dict[str, Any] | None:
    return {"phase": phase} if item.get("status", {}).get("phase") in (None, "Pending") else None


def _condition(kind: str, reason: str) -> dict[str, str]:
    times = dict.fromkeys(("lastTransitionTime", "lastUpdateTime"), _THEN)
    if kind not in ("Available", "Progressing"):
        del times["lastUpdateTime"]
    return {"type": kind, "status": "True", "reason": reason, "message": "", **times}


_KINDS = (
    ("/apis/apps/v1", "deployments", _deployment),
    ("/apis/policy/v1", "poddisruptionbudgets", _budget),
    ("/apis/batch/v1", "jobs", _job),
    ("/api/v1", "persistentvolumeclaims", _claim),
    ("/api/v1", "pods", _pod),
)
