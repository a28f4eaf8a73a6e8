"""Parameters of a known method: what they name, in canonical spelling, and the tasks that they are about.

A `tools/call` may make a task if its client can use one: in the modern era it declares the extension with each request
(SEP-2663), in the legacy era it asks with `task` (MCP 2025-11-25, Tasks). Other methods name
tasks by their ids.
"""

from collections.abc import Callable, Mapping
from typing import TypeGuard

from msgspec import Struct

from agen_authz.core.errors import Malformed
from agen_authz.core.message.jsonrpc import SUBSCRIPTION_KEYS, Message
from agen_authz.core.message.method import Method, Names
from agen_authz.core.message.target import is_prompt_name, is_resource_uri, is_tool_name
from agen_authz.core.model import Era, Json, Target, TargetKind
from agen_authz.core.reason import Reason

CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
_TASKS_EXTENSION = "io.modelcontextprotocol/tasks"
_TASK_KEYS = frozenset({"task", "taskId", "taskIds"})
_TASK_METHODS = frozenset({"tasks/get", "tasks/update", "tasks/cancel", "tasks/result"})
_MAX_TASK_ID_CHARS = 1024
_MAX_SUBSCRIPTIONS = 100
# Each one is looked up in the store.
_MAX_TASKS = 20


class Parameters(Struct, frozen=True):
    """What the parameters of one message say; `Call` has the same fields and explains them."""

    targets: tuple[Target, ...] = ()
    arguments: dict[str, Json] | None = None
    inputs: dict[str, Json] | None = None
    uses_task: bool = False
    task_ids: tuple[str, ...] = ()


def read_parameters(message: Message, method: Method | None, era: Era, server: str) -> Parameters | Malformed:
    """Read what a message names; nothing of a method that is not known."""
    params = message.params
    names = method.names if method is not None else Names.NOTHING
    if method is not None and not params.keys().isdisjoint(_TASK_KEYS) and not _asks_for_task(params, names, era):
        names = Names.TASK
    if names is Names.NOTHING:
        return Parameters()
    if names is Names.TASK:
        return _read_task(message.method, params)
    return _READERS[names](params, server)


def may_make_task(message: Message, era: Era) -> bool:
    """True if the answer to a message may be a task: of a `tools/call` whose client can use one."""
    if message.method != "tools/call":
        return False
    if era is Era.LEGACY:
        return "task" in message.params
    capabilities = message.meta.get(CAPABILITIES_KEY)
    extensions = capabilities.get("extensions") if isinstance(capabilities, dict) else None
    return isinstance(extensions, dict) and _TASKS_EXTENSION in extensions


def _asks_for_task(params: Mapping[str, Json], names: Names, era: Era) -> bool:
    # The modern era knows no `task`: a server that reads it there follows other rules than we do.
    is_call = names is Names.TOOL and era is Era.LEGACY
    return is_call and isinstance(params.get("task"), dict) and params.keys().isdisjoint(_TASK_KEYS - {"task"})


def _read_task(method: str, params: Mapping[str, Json]) -> Parameters:
    task_id, inputs = params.get("taskId"), params.get("inputResponses")
    is_about_one = method in _TASK_METHODS and params.keys().isdisjoint(_TASK_KEYS - {"taskId"})
    if not is_about_one or not is_task_id(task_id):
        return Parameters(uses_task=True)
    # Other answers than an object are none that a policy could read: then `inputs` is not there.
    return Parameters(inputs=inputs if isinstance(inputs, dict) else None, uses_task=True, task_ids=(task_id,))


def is_task_id(value: Json) -> TypeGuard[str]:
    """True if a value can be the id of a task: a text of a length that is kept."""
    return isinstance(value, str) and 0 < len(value) <= _MAX_TASK_ID_CHARS


def _misshapen(*path: str | int) -> Malformed:
    """Refuse a parameter and name it by its JSON pointer (RFC 6901): names of MCP and positions, never a value."""
    return Malformed(Reason.PARAMS_MALFORMED, "".join(f"/{step}" for step in ("params", *path)))


def _read_tool(params: Mapping[str, Json], server: str) -> Parameters | Malformed:
    return _read_named(params, TargetKind.TOOL, server)


def _read_prompt(params: Mapping[str, Json], server: str) -> Parameters | Malformed:
    return _read_named(params, TargetKind.PROMPT, server)


def _read_resource(params: Mapping[str, Json], server: str) -> Parameters | Malformed:
    target = _read_target(params.get("uri"), TargetKind.RESOURCE, server, "uri")
    if isinstance(target, Malformed):
        return target
    inputs = params.get("inputResponses")
    if not (inputs is None or isinstance(inputs, dict)):
        return _misshapen("inputResponses")
    return Parameters((target,), inputs=inputs)


def _read_named(params: Mapping[str, Json], kind: TargetKind, server: str) -> Parameters | Malformed:
    target = _read_target(params.get("name"), kind, server, "name")
    if isinstance(target, Malformed):
        return target
    arguments, inputs = params.get("arguments"), params.get("inputResponses")
    if arguments is None:
        # Null like absent, as in `params`: no server reads anything else into it.
        arguments = {}
    if not isinstance(arguments, dict):
        return _misshapen("arguments")
    if not (inputs is None or isinstance(inputs, dict)):
        return _misshapen("inputResponses")
    return Parameters((target,), arguments, inputs)


_SPELLING = {
    TargetKind.TOOL: is_tool_name,
    TargetKind.PROMPT: is_prompt_name,
    TargetKind.RESOURCE: is_resource_uri,
}


def _read_target(name: Json, kind: TargetKind, server: str, *path: str | int) -> Target | Malformed:
    if not isinstance(name, str):
        return _misshapen(*path)
    if not _SPELLING[kind](name):
        return Malformed(Reason.MALFORMED_TARGET, _misshapen(*path).detail)
    return Target(kind, server, name)


def _read_one(name: Json, kind: TargetKind, server: str, *path: str) -> Parameters | Malformed:
    target = _read_target(name, kind, server, *path)
    return target if isinstance(target, Malformed) else Parameters((target,))


def _read_reference(params: Mapping[str, Json], server: str) -> Parameters | Malformed:
    reference = params.get("ref")
    if not isinstance(reference, dict):
        return _misshapen("ref")
    if not isinstance(params.get("argument"), dict):
        return _misshapen("argument")
    match reference.get("type"):
        case "ref/prompt" if "uri" not in reference:
            return _read_one(reference.get("name"), TargetKind.PROMPT, server, "ref", "name")
        case "ref/resource" if "name" not in reference:
            return _read_one(reference.get("uri"), TargetKind.RESOURCE, server, "ref", "uri")
        case _:
            return _misshapen("ref")


def _read_subscription(params: Mapping[str, Json], server: str) -> Parameters | Malformed:
    wanted = params.get("notifications", {})
    # An unknown kind of subscription may name what no rule has seen.
    if not isinstance(wanted, dict) or not wanted.keys() <= SUBSCRIPTION_KEYS:
        return _misshapen("notifications")
    uris = wanted.get("resourceSubscriptions", [])
    # Each URI is decided on and recorded: few enough for one event, and none of them twice.
    if not isinstance(uris, list) or len(uris) > _MAX_SUBSCRIPTIONS:
        return _misshapen("notifications", "resourceSubscriptions")
    targets: dict[Target, None] = {}
    for position, uri in enumerate(uris):
        path = ("notifications", "resourceSubscriptions", position)
        target = _read_target(uri, TargetKind.RESOURCE, server, *path)
        if isinstance(target, Malformed):
            return target
        if target in targets:
            return _misshapen(*path)
        targets[target] = None
    if "taskIds" not in wanted:
        return Parameters(tuple(targets))
    task_ids = _read_task_ids(wanted["taskIds"])
    if isinstance(task_ids, Malformed):
        return task_ids
    return Parameters(tuple(targets), uses_task=True, task_ids=task_ids)


def _read_task_ids(wanted: Json) -> tuple[str, ...] | Malformed:
    listed = wanted if isinstance(wanted, list) else []
    found = tuple(each for each in listed if is_task_id(each))
    # None of them twice, as with resources.
    is_whole = 0 < len(set(found)) == len(listed) <= _MAX_TASKS
    return found if is_whole else _misshapen("notifications", "taskIds")


# Each kind of name has its reader: one that is missing here would be a KeyError, which denies.
_READERS: dict[Names, Callable[[Mapping[str, Json], str], Parameters | Malformed]] = {
    Names.TOOL: _read_tool,
    Names.PROMPT: _read_prompt,
    Names.RESOURCE: _read_resource,
    Names.REFERENCE: _read_reference,
    Names.SUBSCRIPTION: _read_subscription,
}
