"""What ends a request at the stage that it has reached."""

import pytest

from agen_authz.core.errors import Unavailable
from agen_authz.core.model import Step
from agen_authz.core.reason import Reason
from agen_authz.core.stage import refuse_late
from tests.reached import reach

LATE: dict[str, tuple[Unavailable | TimeoutError, tuple[Reason, Step]]] = {
    "a store that is down": (
        Unavailable(Reason.STORE_UNAVAILABLE, "tasks"),
        (Reason.STORE_UNAVAILABLE, Step("facts", "unavailable", "tasks")),
    ),
    "no time left": (TimeoutError(), (Reason.DEADLINE, Step("facts", "late"))),
}


@pytest.mark.parametrize("name", LATE)
def test_what_is_not_there_in_time_refuses_and_is_named(name):
    cause, (reason, step) = LATE[name]
    stage = reach()
    refused = refuse_late(stage, cause)
    assert (refused.stage, refused.decision.reason, refused.decision.why) == (stage, reason, (step,))
