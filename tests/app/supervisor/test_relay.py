"""Events on their way to the worker that writes them: each is answered, whatever ends meanwhile."""

from dataclasses import dataclass, field

import pytest

from agen_authz.app.control.message import Recall, Recalled, Withdraw, Write, Written
from agen_authz.app.supervisor.relay import Relay


@dataclass
class Ways:
    """Both ends of a relay."""

    is_there: bool = True
    sent: list[Write | Withdraw | Recall] = field(default_factory=list)
    answered: list[Written | Recalled] = field(default_factory=list)

    def send(self, message: Write | Withdraw | Recall) -> bool:
        if self.is_there:
            self.sent.append(message)
        return self.is_there

    def answer(self, message: Written | Recalled) -> None:
        self.answered.append(message)


def test_two_workers_may_use_the_same_number():
    ways = Ways()
    relay = Relay(ways.send)
    first, second = Ways(), Ways()
    relay.take("process", Write(1, b"a", "ann"), first.answer)
    relay.take("process-2", Write(1, b"b", "bob"), second.answer)
    relay.settle(Written(2, True))
    relay.settle(Written(1, False))
    assert ways.sent == [Write(1, b"a", "ann"), Write(2, b"b", "bob")]
    assert (first.answered, second.answered, len(relay)) == ([Written(1, False)], [Written(1, True)], 0)


def test_event_without_anyone_to_write_it_is_answered_at_once():
    ways = Ways(is_there=False)
    relay = Relay(ways.send)
    relay.take("process", Write(5, b"a", "ann"), ways.answer)
    assert (ways.answered, len(relay)) == ([Written(5, False, False)], 0)


def test_events_in_hand_when_the_one_that_writes_ends_are_answered_as_not_written():
    ways = Ways()
    relay = Relay(ways.send)
    for number in (5, 6):
        relay.take("process", Write(number, b"a", "ann"), ways.answer)
    relay.fail_all()
    # Its successor knows nothing of them.
    relay.settle(Written(1, True))
    assert ways.answered == [Written(5, False, False), Written(6, False, False)]


def test_event_that_is_withdrawn_is_withdrawn_where_it_would_be_written_and_not_answered():
    ways = Ways()
    relay = Relay(ways.send)
    relay.take("process-2", Write(5, b"a", "ann"), ways.answer)
    relay.take("process", Write(5, b"b", "bob"), ways.answer)
    relay.withdraw("process", Withdraw(5))
    relay.withdraw("process", Withdraw(6))
    relay.settle(Written(2, True))
    assert (ways.sent[2:], ways.answered, len(relay)) == ([Withdraw(2)], [], 1)


def test_events_of_a_worker_that_has_ended_are_forgotten():
    ways = Ways()
    relay = Relay(ways.send)
    relay.take("process", Write(5, b"a", "ann"), ways.answer)
    relay.drop("process-2")
    assert len(relay) == 1
    relay.drop("process")
    relay.settle(Written(1, True))
    assert (ways.answered, len(relay)) == ([], 0)


def test_last_events_are_asked_of_the_one_that_writes_and_go_back_to_who_asked():
    ways = Ways()
    relay = Relay(ways.send)
    relay.recall("console", Recall(7), ways.answer)
    assert (ways.sent, len(relay)) == ([Recall(1)], 1)
    relay.settle_recall(Recalled(1, (b"one", b"two")))
    relay.settle_recall(Recalled(1, ()))
    assert (ways.answered, len(relay)) == ([Recalled(7, (b"one", b"two"))], 0)


@pytest.mark.parametrize("is_there", [True, False])
def test_last_events_that_nobody_can_show_are_answered_so(is_there):
    ways = Ways(is_there=is_there)
    relay = Relay(ways.send)
    relay.recall("console", Recall(7), ways.answer)
    relay.fail_all()
    assert (ways.answered, len(relay)) == ([Recalled(7, None)], 0)


def test_last_events_that_a_worker_which_has_ended_asked_for_are_forgotten():
    ways = Ways()
    relay = Relay(ways.send)
    relay.recall("console", Recall(7), ways.answer)
    relay.drop("console")
    relay.settle_recall(Recalled(1, ()))
    assert (ways.answered, len(relay)) == ([], 0)
