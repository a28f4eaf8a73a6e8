"""The contract of `IdentityProvider`, kept by the one that speaks HTTP and by the fake."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Protocol
from urllib.parse import urlencode

import pytest

from agen_authz.adapters.jwks import OidcProvider, ProviderKeys
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.demo.issuer.client import CONSOLE_CLIENT, DEMO_SECRET
from agen_authz.ports.sign_in import CodeExchange, IdentityProvider
from tests.adapters.rig import COOLDOWN_S, KEEP_STALE_S, REFRESH_S, TIMEOUT_S
from tests.console.rig import ENDPOINT, FakeIdentity, claims
from tests.demo.live import CHALLENGE, VERIFIER, Stage, read_claims, running_stage
from tests.fakes import FakeClock

pytestmark = pytest.mark.loopback

BACK, NONCE = "http://127.0.0.1:49152/sign-in/callback", "n-1"
FUMIKO = "u-1003"


class Rig(Protocol):
    """A provider, and Fumiko who logs in there."""

    endpoint: str

    @property
    def provider(self) -> IdentityProvider:
        """What is asked."""

    def log_in(self) -> str:
        """Log in on the way from `BACK`; the code that the browser brings back."""

    def go_down(self) -> None:
        """Give no usable answer any more."""


class FakeRig:
    def __init__(self) -> None:
        self.provider, self.endpoint = FakeIdentity(FakeClock()), ENDPOINT

    def log_in(self) -> str:
        wish = {"redirect_uri": BACK, "code_challenge": CHALLENGE, "nonce": NONCE, "state": "s-1"}
        return self.provider.log_in(f"{ENDPOINT}?{urlencode(wish)}", claims(FUMIKO))["code"]

    def go_down(self) -> None:
        self.provider.is_down = True


class OidcRig:
    """The demo's issuer, asked over HTTP."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._live = stage, stage.put_on()
        self.endpoint = f"{self._live.url}/authorize"
        settings = ProviderKeys("idp", self._live.url, None, True, REFRESH_S, KEEP_STALE_S, COOLDOWN_S, TIMEOUT_S)
        self.provider = OidcProvider(settings, (CONSOLE_CLIENT, DEMO_SECRET), clock=FakeClock())

    def log_in(self) -> str:
        brought = self._live.log_in(
            "finance", client_id=CONSOLE_CLIENT, redirect_uri=BACK, nonce=NONCE, scope="openid", resource=None
        )
        return brought["code"]

    def go_down(self) -> None:
        async def fail(_scope: object, _receive: object, _send: object) -> None:
            raise ConnectionError

        self._stage.app = fail


@asynccontextmanager
async def asking(stage: Stage) -> AsyncIterator[OidcRig]:
    rig = OidcRig(stage)
    yield rig
    await rig.provider.close()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with running_stage() as running:
        yield running


@pytest.fixture(params=["oidc", "fake"])
async def rig(request: pytest.FixtureRequest, stage: Stage) -> AsyncIterator[Rig]:
    if request.param == "fake":
        yield FakeRig()
        return
    async with asking(stage) as made:
        yield made


def exchange(code: str, back: str = BACK, verifier: str = VERIFIER) -> CodeExchange:
    return CodeExchange(code, back, verifier)


async def test_browsers_are_sent_to_the_endpoint_of_the_provider(rig):
    assert await rig.provider.find_authorization_endpoint() == rig.endpoint


async def test_code_is_exchanged_once_for_the_token_of_who_logged_in(rig):
    code = rig.log_in()
    token = await rig.provider.redeem(exchange(code))
    said = read_claims(token)
    assert (said["sub"], said["aud"], said["nonce"]) == (FUMIKO, CONSOLE_CLIENT, NONCE)
    assert await rig.provider.redeem(exchange(code)) is None


OTHERS = {"redirect URI": {"back": f"{BACK}/other"}, "verifier": {"verifier": "w" * 43}}


@pytest.mark.parametrize("name", OTHERS)
async def test_code_of_another_sign_in_yields_nothing_and_is_gone(rig, name):
    code = rig.log_in()
    assert [await rig.provider.redeem(each) for each in (exchange(code, **OTHERS[name]), exchange(code))] == [None] * 2


async def test_code_that_nobody_got_yields_nothing(rig):
    assert await rig.provider.redeem(exchange("c-0")) is None


async def test_provider_that_gives_no_usable_answer_is_unavailable(rig):
    code = rig.log_in()
    rig.go_down()
    for each in (rig.provider.find_authorization_endpoint(), rig.provider.redeem(exchange(code))):
        with pytest.raises(Unavailable) as told:
            await each
        assert told.value.reason is Reason.PROVIDER_UNAVAILABLE
