"""What `serve` would refuse on this machine, found without starting or writing anything."""

from agen_authz.adapters.store import find_obstacle, peek
from agen_authz.app.cut import NAME as END_NAME
from agen_authz.app.cut import refuse_cut
from agen_authz.app.place import find_url, is_default
from agen_authz.app.reload import check_certificates
from agen_authz.app.state import MAPPING_NAME, may_make_folder, refuse_mapping
from agen_authz.config import Loaded, unbuilt
from agen_authz.core.errors import ConfigError, Problem


async def find_refusals(loaded: Loaded) -> list[Problem]:
    """List what keeps `serve` from starting with a checked configuration; its listeners' addresses are not tried."""
    problems = [*unbuilt(loaded), *check_certificates(loaded.config)]
    if not any(problem.path.startswith("store") for problem in problems):
        problems += await _look_at_store(loaded)
    return problems


async def _look_at_store(loaded: Loaded) -> list[Problem]:
    url = find_url(loaded)
    if is_default(loaded.config) and may_make_folder():
        return []
    obstacle = find_obstacle(url)
    if obstacle is not None:
        return [obstacle]
    try:
        kept = await peek(url, "")
    except ConfigError as exc:
        return list(exc.problems)
    mapping = loaded.config.access.mapping
    problems = []
    if kept.get(MAPPING_NAME, mapping) != mapping:
        problems.append(refuse_mapping(loaded, kept[MAPPING_NAME]))
    if END_NAME in kept and not loaded.config.end:
        problems.append(refuse_cut(loaded))
    return problems
