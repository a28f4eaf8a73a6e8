"""The contract of `Notifier`, kept by the one that sends through Apprise and by the fake."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest

from agen_authz.adapters.notify import AppriseNotifier, read_channels, read_mail
from agen_authz.ports.approval import Notifier
from tests.adapters.post import Post
from tests.adapters.web import Web, reply, running_web
from tests.approval_fakes import ListNotifier

pytestmark = pytest.mark.loopback

CHANNEL, PERSON = "flow:finance", "ann@acme.example"
NOWHERE = ("flow:silent", "not an address")
TEXT = ("Approval needed: refund", "crm/refund waits.\nhttps://approve.example/requests/1")
BUSY = reply(b"", "503 Service Unavailable")


class Rig(Protocol):
    """A notifier with one flow that has a channel, and places to look at."""

    @property
    def notifier(self) -> Notifier:
        """What sends."""

    def go_down(self) -> None:
        """Let no place be reached."""

    def come_back(self) -> None:
        """Let all be reached again."""

    def list_sent(self) -> list[tuple[str, str]]:
        """List subject and text of what arrived, in any order."""


class FakeRig:
    def __init__(self) -> None:
        self.notifier = ListNotifier()
        self.notifier.nowhere.update(NOWHERE)

    def go_down(self) -> None:
        self.notifier.unreachable.update((CHANNEL, PERSON))

    def come_back(self) -> None:
        self.notifier.unreachable.clear()

    def list_sent(self) -> list[tuple[str, str]]:
        return [(subject, body) for _, _, subject, body in self.notifier.sent]


class AppriseRig:
    """Channels are pages of a server on loopback, which gets JSON; mail is taken by a real SMTP server."""

    def __init__(self, web: Web, post: Post, *pages: str) -> None:
        self.web, self.post, self.pages = web, post, pages
        urls = "\n".join(f"json://127.0.0.1:{web.port}{page}" for page in pages)
        channels = {"finance": read_channels("channels", urls.encode())}
        self.notifier = AppriseNotifier(channels, read_mail("mail", post.url.encode()), timeout_s=30.0)
        self.come_back()

    def go_down(self) -> None:
        self.web.replies |= dict.fromkeys(self.pages, BUSY)
        self.post.refuses.add(PERSON)

    def come_back(self) -> None:
        self.web.replies |= dict.fromkeys(self.pages, reply(b""))
        self.post.refuses.clear()

    def list_sent(self) -> list[tuple[str, str]]:
        posted = [json.loads(body) for body in self.web.bodies]
        mails = [(mail.message["subject"], mail.message.get_content()) for mail in self.post.mails]
        return [*((each["title"], each["message"]) for each in posted), *mails]


async def begin(stack: AsyncExitStack, *pages: str) -> AppriseRig:
    post = Post()
    stack.enter_context(post.open())
    rig = AppriseRig(await stack.enter_async_context(running_web()), post, *pages)
    stack.callback(rig.notifier.close)
    return rig


@pytest.fixture(params=["apprise", "fake"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        yield FakeRig() if request.param == "fake" else await begin(stack, "/one")


def flatten(sent: Any) -> list[tuple[str, str]]:
    """Leave out how lines are broken: mail breaks them in its own way."""
    return [(subject, " ".join(body.split())) for subject, body in sent]


SENT = flatten([TEXT])


@pytest.mark.parametrize("to", [CHANNEL, PERSON])
async def test_message_arrives_with_its_subject_and_its_text(rig, to):
    assert (rig.notifier.reaches(to), await rig.notifier.send("m1", to, *TEXT)) == (True, True)
    assert flatten(rig.list_sent()) == SENT


@pytest.mark.parametrize("to", NOWHERE)
async def test_place_to_which_there_is_no_way_is_known_and_gets_nothing(rig, to):
    assert (rig.notifier.reaches(to), await rig.notifier.send("m1", to, *TEXT)) == (False, False)
    assert rig.list_sent() == []


@pytest.mark.parametrize("to", [CHANNEL, PERSON])
async def test_message_that_could_not_be_sent_may_be_tried_again(rig, to):
    rig.go_down()
    assert (rig.notifier.reaches(to), await rig.notifier.send("m1", to, *TEXT)) == (True, False)
    before = len(rig.list_sent())
    rig.come_back()
    assert await rig.notifier.send("m1", to, *TEXT)
    assert flatten(rig.list_sent()[before:]) == SENT


@pytest.mark.parametrize("to", [CHANNEL, PERSON])
async def test_message_that_was_taken_is_not_sent_again(rig, to):
    assert [await rig.notifier.send(id, to, *TEXT) for id in ("m1", "m1", "m2")] == [True, True, True]
    assert flatten(rig.list_sent()) == SENT * 2


async def test_channel_that_has_taken_a_message_does_not_get_it_again_for_one_that_has_not():
    async with AsyncExitStack() as stack:
        rig = await begin(stack, "/one", "/two")
        rig.web.replies["/two"] = BUSY
        assert not await rig.notifier.send("m1", CHANNEL, *TEXT)
        rig.come_back()
        assert await rig.notifier.send("m1", CHANNEL, *TEXT)
        assert rig.web.asked == {"/one": 1, "/two": 2}
