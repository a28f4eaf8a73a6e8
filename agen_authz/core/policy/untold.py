"""What a policy needs and a posted response does not have: such a policy cannot be evaluated for it.

A client of the legacy era answers an elicitation with a response, which does not say what it answers. The answer may
change what an approved call does, and approvers have not seen it.
"""

from collections.abc import Collection

from agen_authz.core.model import Effect

APPROVAL = "approval"
# In this order: the first is named.
CAUSES = {
    "inputs": "a posted response does not say which `inputs` it answers",
    "detected": "a posted response does not say whose answers `detected` is about",
    APPROVAL: "a posted response does not say which approved call it belongs to",
}


def find_untold(reads: Collection[str], effect: Effect) -> str | None:
    """Find the first thing that a policy needs and a posted response does not have; None if there is none.

    Args:
        reads: the variables that its conditions read.
    """
    needs = {*reads, APPROVAL} if effect is Effect.REQUIRE_APPROVAL else reads
    return next((name for name in CAUSES if name in needs), None)
