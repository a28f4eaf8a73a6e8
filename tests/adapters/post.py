"""A real SMTP server on loopback that keeps what it gets; it may be down, come back, and refuse an address."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.stage.port import HOST, reserve_port


@dataclass
class Mail:
    """What the server took: whom it is to by the commands of SMTP, and the message."""

    to: list[str]
    message: EmailMessage


@dataclass
class Post:
    """A mail server.

    Args:
        refuses: addresses that it does not know.
    """

    port: int = field(default_factory=reserve_port)
    mails: list[Mail] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where Apprise sends mail: without TLS, which is for loopback only."""
        return f"mailto://{HOST}:{self.port}?from=agen@acme.example&to=nobody@acme.example&mode=insecure"

    @contextmanager
    def open(self) -> Iterator[None]:
        """Take mail within."""
        controller = Controller(self, hostname=HOST, port=self.port)
        controller.start()
        try:
            yield
        finally:
            controller.stop()

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take an address, or say that nobody has it (RFC 5321 section 4.2.3)."""
        if address in self.refuses:
            return "550 nobody has this address"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep a message."""
        parsed = message_from_bytes(cast(bytes, envelope.content), policy=policy.default)
        self.mails.append(Mail([str(each) for each in envelope.rcpt_tos], parsed))
        return "250 OK"
