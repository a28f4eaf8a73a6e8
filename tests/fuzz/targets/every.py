"""Every target by its name; a new one is a module next to this one and a line here."""

from collections.abc import Mapping

from tests.fuzz.targets import (
    chain,
    check_pieces,
    check_raw,
    condition,
    identity,
    jwks,
    masking,
    mcp,
    names,
    policy,
    signature,
    sse,
    strict_json,
    token_signed,
    token_text,
)
from tests.fuzz.targets.target import Target

_MODULES = (
    *(chain, check_pieces, check_raw, condition, identity, jwks, masking, mcp, names, policy, signature),
    *(sse, strict_json, token_signed, token_text),
)
TARGETS: Mapping[str, Target] = {module.TARGET.name: module.TARGET for module in _MODULES}
