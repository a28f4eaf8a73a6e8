"""True if a way to a cluster is guarded: which of the chain's filters run on it."""

from agen_authz.envoy.check.authz import check_authz_on
from agen_authz.envoy.check.filter_chain import Filter, find_off_switch, find_override
from agen_authz.envoy.check.proc import check_proc_on
from agen_authz.envoy.check.sheet import Sheet
from agen_authz.envoy.check.way import Way


def runs_somewhere(filter_: Filter, ways: tuple[Way, ...]) -> bool:
    """True if a filter runs on any way; with no way known, it may."""
    return not ways or any(find_off_switch(filter_, way.levels) is None for way in ways)


def check_guard(sheet: Sheet, filters: tuple[Filter, ...], way: Way) -> None:
    """Check one way that reaches a cluster: one ext_authz must run on it, and ext_proc if there is one.

    Envoy Gateway has a filter for each policy, all off, of which each route turns one on.
    """
    guards = [filter_ for filter_ in filters if filter_.family == "ext_authz"]
    running = _running(guards, way)
    if not running:
        _note_off(sheet, guards, way)
    if len(running) > 1:
        sheet.add("second-authz", running[-1].spot)
    for filter_ in running:
        check_authz_on(sheet, filter_, way)
    inspectors = [filter_ for filter_ in filters if filter_.family == "ext_proc"]
    running = _running(inspectors, way)
    if len(running) > 1:
        sheet.add("second-proc", running[0].spot)
    for filter_ in running:
        check_proc_on(sheet, filter_, way)
    if inspectors and not running:
        sheet.add("proc-disabled", find_off_switch(inspectors[0], way.levels) or way.route)


def _running(filters: list[Filter], way: Way) -> list[Filter]:
    return [filter_ for filter_ in filters if find_off_switch(filter_, way.levels) is None]


def _note_off(sheet: Sheet, guards: list[Filter], way: Way) -> None:
    switches = [
        switch
        for filter_ in guards
        if find_override(filter_, way.levels) is not None
        and (switch := find_off_switch(filter_, way.levels)) is not None
    ]
    for switch in switches:
        sheet.add("route-disabled", switch)
    if not switches:
        sheet.add("filter-disabled", way.route)
