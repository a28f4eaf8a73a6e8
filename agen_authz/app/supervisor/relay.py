"""Events of other workers, on their way to the worker that decides, which alone writes them (ADR 0025).

Each is answered: written, or not. What the worker that decides had in hand when it ended is answered as not written,
though it may have been: so an event may be there twice or for nothing, and none is missing unnoticed. The console asks
for the last ones on the same way.
"""

from collections.abc import Callable
from typing import TypeAlias

from agen_authz.app.control.message import Recall, Recalled, Withdraw, Write, Written

Answer: TypeAlias = Callable[[Written | Recalled], None]
Asked: TypeAlias = Write | Withdraw | Recall


class Relay:
    """Belongs to one event loop; `send` hands a message to the worker that decides, False if that is not there."""

    def __init__(self, send: Callable[[Asked], bool]) -> None:
        self._send = send
        self._count = 0
        # By the number that the worker that decides knows it by: who asked, by which number, and where the answer goes.
        self._waiting: dict[int, tuple[str, int, Answer]] = {}
        self._recalling: dict[int, tuple[str, int, Answer]] = {}

    def __len__(self) -> int:
        """Count what waits for its answer."""
        return len(self._waiting) + len(self._recalling)

    def take(self, name: str, message: Write, answer: Answer) -> None:
        """Pass on an event of the worker of this name."""
        self._count += 1
        self._waiting[self._count] = name, message.number, answer
        if not self._send(Write(self._count, message.line, message.owner)):
            self._answer(self._count, is_written=False, is_counted=False)

    def recall(self, name: str, message: Recall, answer: Answer) -> None:
        """Pass on that the worker of this name asks for the last events."""
        self._count += 1
        self._recalling[self._count] = name, message.number, answer
        if not self._send(Recall(self._count)):
            self.settle_recall(Recalled(self._count, None))

    def settle_recall(self, message: Recalled) -> None:
        """Pass back the last events."""
        recalling = self._recalling.pop(message.number, None)
        if recalling is not None:
            _, own, answer = recalling
            answer(Recalled(own, message.lines))

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
        """Forget what a worker that has ended has asked."""
        for waiting in (self._waiting, self._recalling):
            for number in [number for number, (asked, _, _) in waiting.items() if asked == name]:
                del waiting[number]

    def fail_all(self) -> None:
        """Answer all that wait: the worker that decides has ended."""
        for number in list(self._waiting):
            self._answer(number, is_written=False, is_counted=False)
        for number in list(self._recalling):
            self.settle_recall(Recalled(number, None))

    def _answer(self, number: int, *, is_written: bool, is_counted: bool) -> None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            _, own, answer = waiting
            answer(Written(own, is_written, is_counted))
