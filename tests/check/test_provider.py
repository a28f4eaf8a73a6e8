"""Keys that have to be waited for: found, not published, or a provider that does not answer."""

import asyncio

from agen_authz.core.errors import Unavailable
from agen_authz.core.identity.jwk import PublicKey
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.builders import claims, sign
from tests.check.rig import Rig, Seen
from tests.fakes import MemoryKeys


class FetchedKeys(MemoryKeys):
    """Keys that are not in memory until somebody asks for them."""

    def __init__(self, *published: PublicKey, fault: Exception | None = None) -> None:
        super().__init__("idp")
        self.published["idp"], self.fault = published, fault

    async def fetch_key(self, provider, kid, algorithm):
        await asyncio.sleep(0)
        if self.fault is not None:
            raise self.fault
        return await super().fetch_key(provider, kid, algorithm)


class SilentKeys(MemoryKeys):
    """A provider that never answers."""

    async def fetch_key(self, provider, kid, algorithm):
        await asyncio.Event().wait()


def ask(keys: MemoryKeys, remaining_s: float = 0.2) -> Seen:
    raw = build.check_request(build.headers_for(sign(claims())), build.encode(build.message()))
    return Rig(keys=keys).check(raw, remaining_s)


def outcome(seen: Seen) -> tuple[str | None, int, int | None, str | None, bool]:
    return seen.told, seen.status, seen.code, seen.header("retry-after"), seen.header("www-authenticate") is None


def test_key_that_was_published_since_is_found():
    assert ask(FetchedKeys(build.public_key(build.ec_key()))).is_allowed


def test_key_that_is_not_published_refuses_the_token():
    assert outcome(ask(FetchedKeys())) == ("token_key_unknown", 401, 40100, None, False)


def test_provider_that_does_not_answer_is_503_and_no_challenge():
    down = FetchedKeys(fault=Unavailable(Reason.PROVIDER_UNAVAILABLE, "idp"))
    assert outcome(ask(down)) == ("provider_unavailable", 503, 50300, "1", True)


def test_provider_that_takes_too_long_is_503_and_no_challenge():
    assert outcome(ask(SilentKeys("idp"), 0.01)) == ("deadline", 503, 50300, "1", True)


def test_event_of_a_call_that_waited_until_its_deadline_names_the_provider():
    rig = Rig(keys=SilentKeys("idp"))
    rig.check(build.check_request(build.headers_for(sign(claims())), build.encode(build.message())), 0.01)
    assert rig.audit.events[-1]["why"] == [{"check": "facts", "outcome": "unavailable", "rule": "idp"}]


def test_key_that_cannot_be_asked_about_now_is_503_and_no_challenge():
    unsettled = FetchedKeys(fault=Unavailable(Reason.KEY_UNSETTLED, "idp"))
    assert outcome(ask(unsettled)) == ("key_unsettled", 503, 50300, "1", True)


def test_defect_while_waiting_denies():
    assert outcome(ask(FetchedKeys(fault=RuntimeError("bug")))) == ("internal_error", 500, 50000, None, True)


def test_defect_leaves_an_event():
    rig = Rig(keys=FetchedKeys(fault=RuntimeError("bug")))
    rig.post(build.message())
    assert [event["reason"] for event in rig.audit.events] == ["internal_error"]
