"""The protections of ext_proc in Envoy's configuration; nothing listens where Process should be."""

from typing import Any

from envoy_data_plane.envoy.service.auth.v3 import CheckResponse
from envoy_data_plane.google.protobuf import Struct

from tests.envoy.attack import Protection, attack
from tests.envoy.copies import Tree, drop, http_filter, manager, put
from tests.envoy.stand import Asked, allow
from tests.envoy.stand import request as write

_GET = write("GET", "/crm/mcp")


def proc(listener: Tree) -> Tree:
    """Get the settings of ext_proc, within its matcher."""
    settings: Tree = http_filter(listener, "ext_proc")["extension_config"]["typed_config"]
    return settings


def skips(listener: Tree) -> list[Tree]:
    """Get the matchers that skip ext_proc: the word of Check, and what Envoy answers itself."""
    matchers: list[Tree] = http_filter(listener, "ext_proc")["xds_matcher"]["matcher_list"]["matchers"]
    return matchers


def _drop_filter(listener: Tree) -> None:
    filters = manager(listener)["http_filters"]
    filters[:] = [each for each in filters if not each["name"].endswith("ext_proc")]


def _inspect(_: Asked) -> CheckResponse:
    on = Struct.from_dict({"agen.inspect": "on"})
    return CheckResponse(status=allow().status, ok_response=allow().ok_response, dynamic_metadata=on)


def _skip_on(word: str) -> Any:
    def change(listener: Tree) -> None:
        predicate = skips(listener)[0]["predicate"]["single_predicate"]
        predicate["custom_match"]["typed_config"]["value"]["string_match"] = {"exact": word}

    return change


def _skip_on_path(listener: Tree) -> None:
    predicate = skips(listener)[1]["predicate"]["single_predicate"]
    name = "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput"
    predicate["input"]["typed_config"] = {"@type": name, "header_name": ":path"}
    predicate["value_match"] = {"prefix": "/crm"}


def _drop_local_skip(listener: Tree) -> None:
    del skips(listener)[1]


def _switch_off(listener: Tree) -> None:
    name = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute"
    config = manager(listener)["route_config"].setdefault("typed_per_filter_config", {})
    config["envoy.filters.http.ext_proc"] = {"@type": name, "disabled": True}


PROCESS = {
    "ext_proc": Protection(_drop_filter, attack(_GET, answer=_inspect), (502, 1, 1), (200, 1, 1)),
    "proc enabled": Protection(_switch_off, attack(_GET, answer=_inspect), (502, 1, 1), (200, 1, 1)),
    "proc failure_mode_allow": Protection(
        put(proc, "failure_mode_allow", True), attack(_GET, answer=_inspect), (502, 1, 1), (200, 1, 1)
    ),
    "proc observability_mode": Protection(
        put(proc, "observability_mode", True), attack(_GET, answer=_inspect), (502, 1, 1), (200, 1, 1)
    ),
    "proc status_on_error": Protection(
        drop(proc, "status_on_error"), attack(_GET, answer=_inspect), (502, 1, 1), (500, 1, 1)
    ),
    "the word": Protection(_skip_on("on"), attack(_GET, answer=_inspect), (502, 1, 1), (200, 1, 1)),
    "the matchers": Protection(_skip_on_path, attack(_GET, answer=_inspect), (502, 1, 1), (200, 1, 1)),
    "local replies": Protection(
        _drop_local_skip, attack(write("POST", "/crm/mcp", body=b"x" * (1 << 17))), (413, 0, 0), (502, 0, 0)
    ),
    "the word that skips": Protection(_skip_on("off"), attack(_GET), (200, 1, 1), (502, 1, 1)),
}
