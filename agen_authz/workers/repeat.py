"""Takes a worker's steps again and again: at once while there is work, after a pause if there is none."""

from collections.abc import Awaitable, Callable

from agen_authz.core.errors import Unavailable

_PERIOD_S, _UNAVAILABLE_S = 2.0, 10.0


async def repeat(
    step: Callable[[], Awaitable[int]], note_defect: Callable[[], None], sleep: Callable[[float], Awaitable[None]]
) -> None:
    """Take steps until cancelled; a defect does not end this.

    Args:
        step: returns how much it did; raises Unavailable if the store did not answer.
        note_defect: logs and counts the defect that is being handled.
    """
    while True:
        pause_s = _PERIOD_S
        try:
            if await step():
                pause_s = 0.0
        except Unavailable:
            # The store reports its own failures.
            pause_s = _UNAVAILABLE_S
        except Exception:  # noqa: BLE001 the top of a background task: it is logged, counted, and the task continues
            note_defect()
            pause_s = _UNAVAILABLE_S
        await sleep(pause_s)
