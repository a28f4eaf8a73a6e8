"""The texts of messages, whole, and what no call can do to them."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agen_authz.core.approval.request import KeptCall, Notice, Occasion, Progress
from agen_authz.workers.message import MAX_BODY_CHARS, Wording, describe_time, is_outdated, write_message
from tests.builders import NOW
from tests.core.approval.rig import ANN_MAIL, BINDING, FLOW, asked, ballot, flow
from tests.workers.rig import URL

LINK = f"{URL}/requests/{'0' * 32}"
ARGUMENTS = {
    "amount": 120.5,
    "customer": {"email": "cy@example.com", "card": "4111 1111 1111 1111"},
    "lines": [{"sku": "A_17", "count": 2}, {"sku": "B_4", "count": 1}],
    "note": 'as "agreed"',
    "urgent": True,
    "reference": None,
    "tags": [],
}
HOSTILE = {
    "amount = 1.00": 5000,
    "\u202enote": "<!channel> <https://evil.example|Approve> [Approve](https://evil.example/yes)",
    "fake": "x\n\nSign in to read the call and decide:\nhttps://evil.example/requests/1",
    "@everyone": "**Approved** by `root` &lt;b&gt; \U000e0041\u200b",
    "long": "a" * 5000,
}


def kept(arguments, **more):
    return KeptCall(
        json.dumps({"name": "refund", "_meta": {"progressToken": 1}, "arguments": arguments, **more}).encode()
    )


def write(occasion=Occasion.OPENED, request=None, params=None, *, by=FLOW, now=NOW + 60.0, step=0, url=URL):
    held = asked() if request is None else request
    message = Notice("m", held.id, occasion, "flow:finance", step, NOW)
    flows = {} if by is None else {by.name: by}
    return write_message(message, held, kept(ARGUMENTS) if params is None else params, Wording(url, flows), now)


def show(text):
    return f"Subject: {text.subject}\n\n{text.body}\n"


ENDED = asked(status=Progress.APPROVED, decided_at=NOW, grant_until=NOW + 900.0)
TEXTS = {
    "opened": write,
    "step": lambda: write(Occasion.STEP, asked(step=1), step=1),
    "reminder": lambda: write(Occasion.REMINDER, now=NOW + 3600.0),
    "approved": lambda: write(Occasion.APPROVED, ENDED),
    "approved-by-the-clock": lambda: write(
        Occasion.APPROVED,
        replace(ENDED, decided_at=ENDED.ends_at, grant_until=ENDED.ends_at + 900.0),
        by=flow(approves_on_timeout=True),
        now=ENDED.ends_at,
    ),
    "rejected": lambda: write(
        Occasion.REJECTED,
        asked(status=Progress.REJECTED, votes=(replace(ballot(approves=False), reason="Too much.\nAsk @finance"),)),
    ),
    "timed-out": lambda: write(Occasion.TIMED_OUT, asked(status=Progress.TIMED_OUT)),
    "used": lambda: write(Occasion.USED, replace(ENDED, status=Progress.USED)),
    "cancelled": lambda: write(Occasion.CANCELLED, asked(status=Progress.CANCELLED)),
    "shown-in-clear": lambda: write(by=flow(show_arguments=("/customer/email", "/lines/*/sku"))),
    "flow-that-is-gone": lambda: write(by=None),
    "requester-without-mail": lambda: write(request=asked(requester_email="")),
    "hostile-arguments": lambda: write(params=kept(HOSTILE)),
    "hostile-names": lambda: write(
        request=asked(
            binding=replace(BINDING, target="tool:<!here>\nTool: x", client="[x](y)", tenant="\u202eemca"),
            requester_email="",
        )
    ),
    "no-arguments": lambda: write(params=kept({})),
    "resource": lambda: write(
        request=asked(binding=replace(BINDING, target="resource:file:///etc/passwd")),
        params=KeptCall(b'{"uri":"file:///etc/passwd"}'),
    ),
    "continued": lambda: write(params=kept({"amount": 1}, requestState="abc", inputResponses={"ok": True})),
    "arguments-that-are-no-object": lambda: write(params=kept("all of it")),
    "whole-server": lambda: write(request=asked(binding=replace(BINDING, target=""))),
    "erased": lambda: write_message(
        Notice("m", "0" * 32, Occasion.TIMED_OUT, ANN_MAIL, 0, NOW), asked(), None, Wording(URL, {}), NOW
    ),
    "too-large": lambda: write(params=kept({"text": "a" * 70_000})),
    "unreadable": lambda: write(params=KeptCall(b'{"a":')),
    "many": lambda: write(params=kept({f"a{number}": number for number in range(1000)})),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_as_it_was_reviewed(name, golden):
    golden(f"tests/workers/messages/{name}.txt", show(TEXTS[name]()))


def test_nothing_that_is_masked_is_in_a_text():
    for text in (write().body, write(params=kept({"a": ARGUMENTS["customer"], "b": "cy@example.com"})).body):
        assert "cy@" not in text and "1111" not in text


def test_flow_that_has_changed_since_shows_nothing_in_clear():
    changed = flow(show_arguments=("/customer/email",), digest="other")
    assert "cy@example.com" in write(by=replace(changed, digest=FLOW.digest)).body
    assert "cy@example.com" not in write(by=changed).body


def test_state_of_a_call_that_continues_is_in_no_text():
    assert "s3cret" not in write(params=kept({"amount": 1}, requestState="s3cret")).body


def test_what_the_flow_shows_comes_before_what_a_caller_adds():
    many = {f"a{number}": number for number in range(500)} | {"amount": 9}
    lines = write(params=kept(many), by=flow(show_arguments=("/amount",))).body.split("\n")
    assert lines[lines.index("Arguments, masked:") + 1] == "- /amount = 9"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "less than a minute"), (59.9, "less than a minute"), (60, "1 minute"), (3599, "59 minutes"),
        (3600, "1 hour"), (3660, "1 hour 1 minute"), (14399, "3 hours 59 minutes"), (86400, "1 day"),
        (90060, "1 day 1 hour"), (86460, "1 day"), (30 * 86400, "30 days"),
    ],
)  # fmt: skip
def test_time_is_said_in_words(seconds, words):
    assert describe_time(seconds) == words


@pytest.mark.parametrize(
    ("occasion", "status", "step", "expected"),
    [
        (Occasion.OPENED, Progress.OPEN, 0, False),
        (Occasion.OPENED, Progress.OPEN, 1, True),
        (Occasion.STEP, Progress.APPROVED, 0, True),
        (Occasion.REMINDER, Progress.TIMED_OUT, 0, True),
        (Occasion.APPROVED, Progress.USED, 0, False),
    ],
)
def test_only_messages_that_ask_can_be_outdated(occasion, status, step, expected):
    message = Notice("m", "0" * 32, occasion, "flow:finance", 0, NOW)
    assert is_outdated(message, asked(status=status, step=step)) is expected


def test_id_of_a_request_is_percent_encoded_in_the_link():
    assert f"{URL}/requests/a%2F..%3Fb%20c" in write(request=asked(id="a/..?b c")).body.split("\n")


def test_base_url_may_end_with_a_slash():
    assert LINK in write(url=f"{URL}/").body.split("\n")


ODD = st.text(st.characters(categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs", "Mn", "L", "P", "S"]))
SAFE = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**53), 2**53), SAFE),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(SAFE, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(SAFE, VALUES, max_size=4), ODD, ODD, ODD, st.sampled_from(Occasion))
def test_no_call_puts_unseen_characters_or_lines_into_a_text(arguments, name, client, email, occasion):
    binding = replace(BINDING, target=f"tool:{name}", client=client, tenant=client)
    request = asked(binding=binding, requester_email=email, votes=(replace(ballot(), reason=name),))
    text = write(occasion, request, kept(arguments))
    # What is ours is ASCII without these, so each one of them would be the call's.
    seen = text.subject + text.body.replace("\n", "")
    assert not {unicodedata.category(char) for char in seen} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert text.body.count("\n") == len(text.body.splitlines()) - 1
    assert text.body.count("://") == 1 and text.body.split("\n").count(LINK) == 1
    assert len(text.body) <= MAX_BODY_CHARS


@pytest.mark.parametrize("piece", ["\u202e", "<", "@", "a", "日", "]("])
def test_texts_are_bounded_whatever_is_written_where(piece):
    much = piece * 4000
    binding = replace(BINDING, target=f"tool:{much}", client=much, tenant=much, subject=much, issuer=much)
    votes = (replace(ballot(approves=False), reason=much),)
    request = asked(binding=binding, requester_email="", policy=much, votes=votes, status=Progress.REJECTED)
    for occasion in Occasion:
        text = write(occasion, request, kept({much[:2000]: much, "b": [much] * 3}))
        assert len(text.body) <= MAX_BODY_CHARS and len(text.subject) <= 250
        assert LINK in text.body.split("\n")
