"""Which resource a request is for: exact authority, exact path, and no query except the resource's own.

Nothing is normalised here: what is not in the configuration letter by letter is unknown, so that
no backend can read a path as another one than we did.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agen_authz.core.errors import Malformed
from agen_authz.core.model import Resource
from agen_authz.core.reason import Reason

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, slots=True)
class Route:
    """A resource, and whether its metadata (RFC 9728) is asked for instead of the resource itself."""

    resource: Resource
    is_metadata: bool


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Every path that we answer for, by authority; build it with `build_routes`."""

    _paths: Mapping[str, Mapping[str, Route]]

    def find(self, authority: str, raw_path: str) -> Route | Malformed:
        """Find what `authority` and `raw_path` (with its query) name, or say which of them is unknown."""
        paths = self._paths.get(authority)
        if paths is None:
            return Malformed(Reason.UNKNOWN_HOST)
        path, mark, query = raw_path.partition("?")
        route = paths.get(path)
        if route is None:
            return Malformed(Reason.UNKNOWN_PATH)
        if (query if mark else None) != route.resource.query:
            return Malformed(Reason.FOREIGN_QUERY)
        return route


def build_routes(resources: Iterable[Resource]) -> RouteTable:
    """Build the table: each resource, its metadata path, and the plain one if a host has one resource."""
    by_authority: dict[str, list[Resource]] = {}
    for resource in resources:
        for authority in resource.authorities:
            by_authority.setdefault(authority, []).append(resource)
    return RouteTable({authority: _paths_of(group) for authority, group in by_authority.items()})


def _paths_of(resources: list[Resource]) -> dict[str, Route]:
    paths = {}
    for resource in resources:
        paths[resource.path] = Route(resource, is_metadata=False)
        paths[metadata_path(resource.path)] = Route(resource, is_metadata=True)
    if len(resources) == 1:
        paths[WELL_KNOWN] = Route(resources[0], is_metadata=True)
    return paths


def metadata_path(path: str) -> str:
    """Where a resource's metadata is: the well-known name goes between host and path (RFC 9728 section 3.1)."""
    return WELL_KNOWN + ("" if path == "/" else path)
