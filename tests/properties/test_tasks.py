"""Tasks in responses: whatever a server sends, a new task leaves with its note or not at all."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.model import Envelope, Era, Shape
from agen_authz.core.response.message import MadeTask, Withheld
from agen_authz.core.response.tasks import TaskScope, find_task

KEYS = st.sampled_from(
    ["jsonrpc", "id", "method", "params", "result", "task", "tasks", "taskId", "status", "resultType"]
)
LEAVES = st.none() | st.booleans() | st.sampled_from([7, "7", "task", "complete", "t1", "t2", "", "tasks/get"])
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20
)
RESULTS = st.dictionaries(KEYS, DOCUMENTS, max_size=6)
SCOPES = st.builds(
    TaskScope,
    server=st.just("crm"),
    envelope=st.just(Envelope(Era.LEGACY, Shape.REQUEST, 7)),
    tool=st.none() | st.just("export"),
    known=st.sampled_from([(), ("t1",)]),
)


@given(DOCUMENTS, SCOPES)
def test_finding_tasks_is_total(message, scope):
    assert isinstance(find_task(message, scope), MadeTask | Withheld | None)


@given(RESULTS, SCOPES, st.sampled_from([7, 8, "7"]))
def test_new_task_that_leaves_is_bound_to_who_asked(result, scope, message_id):
    message: Any = {"jsonrpc": "2.0", "id": message_id, "result": result}
    found = find_task(message, scope)
    inner = result.get("task")
    modern = result.get("taskId") if result.get("resultType") == "task" else None
    legacy = inner.get("taskId") if isinstance(inner, dict) else None
    for made in (modern, legacy):
        if isinstance(made, str) and made:
            assert isinstance(found, Withheld) or found == MadeTask("crm", made, "export")
    if isinstance(found, MadeTask):
        assert (message_id, scope.tool, found.task_id in (modern, legacy)) == (7, "export", True)
