"""What the console remembers of a browser or a terminal, sealed; the vault says where it is kept."""

from msgspec import Struct

from agen_authz.core.approval.table import Approver
from agen_authz.core.model import Owner


class ConsoleSession(Struct, frozen=True):
    """A person who is signed in.

    Args:
        name: to show, and for nothing else.
        has_unknown_groups: True if the provider did not say which groups the person is in.
        provider: that vouched for them, with the key of this name.
        csrf: what each form of this session must bring along.
        ends_at: when it ends, whatever is done with it.
        presence: the name of the `Presence` that terminals need: it stays if the same person signs in again.
    """

    approver: Approver
    name: str
    has_unknown_groups: bool
    provider: str
    keyid: str
    csrf: str
    ends_at: float
    presence: str

    @property
    def shown_name(self) -> str:
        """The best name that is known."""
        return self.name or self.approver.email or str(self.approver.owner.subject)


class Presence(Struct, frozen=True):
    """That a person is signed in in one browser: the terminals that they let in there are signed out with it."""

    owner: Owner


class PendingSignIn(Struct, frozen=True):
    """A sign-in that has begun.

    Args:
        ends_at: until when it may end.
        to: the page to show afterwards.
        login_after: as in `core.identity.id_token.ExpectedToken`.
    """

    nonce: str
    verifier: str
    to: str
    login_after: float | None
    ends_at: float


class TerminalCode(Struct, frozen=True):
    """What a terminal may exchange for a session.

    Args:
        challenge: `bind_challenge` of the verifier that only the terminal knows.
    """

    challenge: str
    session: ConsoleSession
