"""Implements `ports.approval.Notifier`: sends in threads, within a bound of time.

Of several channels of a flow each is tried; those that took a message do not get it again when it is tried again.
A thread that is late continues: if it succeeds after all, that is remembered too.
"""

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from agen_authz.adapters.notify.address import is_address
from agen_authz.adapters.notify.send import send_mail, send_to_channel
from agen_authz.adapters.notify.url import Destination, Mail
from agen_authz.core.approval.tell import CHANNEL

_LOG = logging.getLogger(__name__)
_THREADS = 8
# Apprise waits 15 seconds at most for each answer of a mail server, and 8 for each of the others.
_TIMEOUT_S = 60.0
_MAX_REMEMBERED = 1000


class AppriseNotifier:
    """Sends messages.

    Args:
        channels: of each flow that has some.
        mail: None if people's own addresses are not written to.
        timeout_s: how long one message may take.
    """

    def __init__(
        self, channels: Mapping[str, tuple[Destination, ...]], mail: Mail | None, *, timeout_s: float = _TIMEOUT_S
    ) -> None:
        self._channels, self._mail, self._timeout_s = channels, mail, timeout_s
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="notify")
        self._lock = threading.Lock()
        # By message: the places that have taken it.
        self._taken: OrderedDict[str, set[str]] = OrderedDict()
        self._failing: set[str] = set()

    def reaches(self, to: str) -> bool:
        """True if there is a way to this place; `ports.approval.Notifier.reaches`."""
        if to.startswith(CHANNEL):
            return bool(self._channels.get(to.removeprefix(CHANNEL)))
        return self._mail is not None and is_address(to)

    async def send(self, id: str, to: str, subject: str, body: str) -> bool:
        """Send one message; `ports.approval.Notifier.send`."""
        if not self.reaches(to):
            return False
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                return await loop.run_in_executor(self._pool, self._send, id, to, subject, body)
        except TimeoutError:
            for place in self._list_places(to):
                if not self._has_taken(id, _name(place)):
                    self._note(_name(place), "late", is_sent=False)
            return False

    def use(self, channels: Mapping[str, tuple[Destination, ...]], mail: Mail | None) -> None:
        """Send to other places from now on."""
        self._channels, self._mail = channels, mail

    def close(self) -> None:
        """Begin no more sends; those that have begun end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _list_places(self, to: str) -> tuple[Destination | Mail, ...]:
        if to.startswith(CHANNEL):
            return self._channels.get(to.removeprefix(CHANNEL), ())
        return () if self._mail is None else (self._mail,)

    def _send(self, id: str, to: str, subject: str, body: str) -> bool:
        # Each is tried, whatever came of the others.
        results = [self._try(id, place, (to, subject, body)) for place in self._list_places(to)]
        return all(results)

    def _try(self, id: str, place: Destination | Mail, message: tuple[str, str, str]) -> bool:
        to, subject, body = message
        if self._has_taken(id, _name(place)):
            return True
        if isinstance(place, Mail):
            is_sent = send_mail(place.url, to, subject, body)
        else:
            is_sent = send_to_channel(place.url, subject, body)
        if is_sent:
            self._remember(id, _name(place))
        self._note(_name(place), "failed", is_sent=is_sent)
        return is_sent

    def _has_taken(self, id: str, name: str) -> bool:
        with self._lock:
            return name in self._taken.get(id, ())

    def _remember(self, id: str, name: str) -> None:
        with self._lock:
            self._taken.setdefault(id, set()).add(name)
            while len(self._taken) > _MAX_REMEMBERED:
                self._taken.popitem(last=False)

    def _note(self, name: str, why: str, *, is_sent: bool) -> None:
        """Log that messages begin to fail, and that they pass again: not each of them."""
        with self._lock:
            was_failing = name in self._failing
            (self._failing.discard if is_sent else self._failing.add)(name)
        if not is_sent and not was_failing:
            _LOG.warning("messages to people cannot be sent; they are tried again", extra={"place": name, "why": why})
        if is_sent and was_failing:
            _LOG.info("messages to people can be sent again", extra={"place": name})


def _name(place: Destination | Mail) -> str:
    return f"{place.file}:{place.line}"
