"""Mail to people through a real SMTP server: what arrives, one that cannot be reached, and one that comes back."""

import pytest

from agen_authz.adapters.notify import AppriseNotifier, read_mail
from agen_authz.core.approval.request import Occasion
from tests.adapters.post import Post
from tests.workers.rig import Rig

ANN = "ann@acme.example"


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def notifier(post):
    made = AppriseNotifier({}, read_mail("mail", post.url.encode()), timeout_s=30.0)
    yield made
    made.close()


async def test_message_arrives_as_plain_text_at_its_one_address(post, notifier):
    with post.open():
        assert await notifier.send(
            "m1", ANN, "Approval needed: refund", "One <b>line</b>.\nhttps://a.example/requests/1"
        )
    (mail,) = post.mails
    assert (mail.to, mail.message["subject"]) == ([ANN], "Approval needed: refund")
    assert (mail.message["auto-submitted"], mail.message.get_content_type()) == ("auto-generated", "text/plain")
    assert mail.message.get_content().split() == ["One", "<b>line</b>.", "https://a.example/requests/1"]


async def test_message_that_is_sent_again_under_its_id_arrives_once(post, notifier):
    with post.open():
        assert await notifier.send("m1", ANN, "s", "b")
        assert await notifier.send("m1", ANN, "s", "b")
    assert len(post.mails) == 1


async def test_address_that_the_server_does_not_know_is_a_failure(post, notifier):
    post.refuses.add(ANN)
    with post.open():
        assert not await notifier.send("m1", ANN, "s", "b")
    assert post.mails == []


async def test_server_that_cannot_be_reached_loses_nothing_and_is_sent_to_once_it_comes_back(post, notifier, caplog):
    caplog.set_level("INFO")
    rig = Rig(notifier=notifier)
    request = rig.ask()
    rig.post("m1", to=ANN)
    worker = rig.sender()
    await worker.step(rig.clock.now())
    assert (rig.messages, post.mails) == ({(Occasion.OPENED.value, "failed"): 1}, [])
    rig.clock.advance(60.0)
    with post.open():
        for _ in range(3):
            await worker.step(rig.clock.now())
    (mail,) = post.mails
    assert f"/requests/{request.id}" in mail.message.get_content()
    assert [each.message for each in caplog.records if "messages to people" in each.message] == [
        "messages to people cannot be sent; they are tried again",
        "messages to people can be sent again",
    ]
