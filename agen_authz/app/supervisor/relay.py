"""Events of workers that inspect, on their way to the worker that decides, which alone writes them (ADR 0025).

Each is answered: written, or not. What the worker that decides had in hand when it ended is answered as not written,
though it may have been: so an event may be there twice or for nothing, and none is missing unnoticed.
"""

from collections.abc import Callable

from agen_authz.app.control.message import Withdraw, Write, Written

Answer = Callable[[Written], None]


class Relay:
    """Belongs to one event loop; `send` hands a message to the worker that decides, False if that is not there."""

    def __init__(self, send: Callable[[Write | Withdraw], bool]) -> None:
        self._send = send
        self._count = 0
        # By the number that the worker that decides knows it by: who asked, by which number, and where the answer goes.
        self._waiting: dict[int, tuple[str, int, Answer]] = {}

    def __len__(self) -> int:
        """Count the events that wait for their answer."""
        return len(self._waiting)

    def take(self, name: str, message: Write, answer: Answer) -> None:
        """Pass on an event of the worker of this name."""
        self._count += 1
        self._waiting[self._count] = name, message.number, answer
        if not self._send(Write(self._count, message.line, message.owner)):
            self._answer(self._count, is_written=False, is_counted=False)

    def withdraw(self, name: str, message: Withdraw) -> None:
        """Pass on that a worker does not wait any more."""
        for number, (asked, own, _) in list(self._waiting.items()):
            if (asked, own) == (name, message.number):
                del self._waiting[number]
                self._send(Withdraw(number))

    def settle(self, message: Written) -> None:
        """Pass back an answer."""
        self._answer(message.number, is_written=message.is_written, is_counted=message.is_counted)

    def drop(self, name: str) -> None:
        """Forget the events of a worker that has ended."""
        for number in [number for number, (asked, _, _) in self._waiting.items() if asked == name]:
            del self._waiting[number]

    def fail_all(self) -> None:
        """Answer all that wait: the worker that decides has ended."""
        for number in list(self._waiting):
            self._answer(number, is_written=False, is_counted=False)

    def _answer(self, number: int, *, is_written: bool, is_counted: bool) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            _, own, answer = waiting
            answer(Written(own, is_written, is_counted))
