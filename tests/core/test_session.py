"""Session ids that prove their owner: what was given out opens, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.model import Issuer, Owner, Session, SessionId, Subject
from agen_authz.core.session import derive_session_key, open_session, sign_session

KEY = b"k" * 32
ANN = Owner(Issuer("https://idp.example.com"), Subject("ann"))
IDS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40)
TEXTS = st.text(max_size=8)


def sign(
    backend_id: str, server: str = "crm", owner: Owner = ANN, key: bytes = KEY, *, declares_url: bool = False
) -> SessionId:
    made = sign_session(backend_id, server, owner, key, declares_url=declares_url)
    assert made is not None
    return made


@given(IDS, TEXTS, TEXTS, TEXTS, st.booleans())
def test_id_opens_for_the_caller_and_resource_that_it_was_made_for(backend_id, server, issuer, subject, declares_url):
    owner = Owner(Issuer(issuer), Subject(subject))
    made = sign(backend_id, server, owner, declares_url=declares_url)
    assert open_session(made, server, owner, KEY) == Session(SessionId(backend_id), declares_url)


@given(st.tuples(TEXTS, TEXTS, TEXTS), st.tuples(TEXTS, TEXTS, TEXTS))
def test_id_opens_for_no_other_resource_issuer_or_subject(made_for, opened_for):
    (server, *who), (other, *whom) = made_for, opened_for
    made = sign("s1", server, Owner(Issuer(who[0]), Subject(who[1])))
    opened = open_session(made, other, Owner(Issuer(whom[0]), Subject(whom[1])), KEY)
    assert (opened is not None) == (made_for == opened_for)


def test_every_other_spelling_of_an_id_opens_nothing():
    made = sign("abc")
    others = {made[:at] + char + made[at + 1 :] for at in range(len(made)) for char in "Aa-_0u~"} - {made}
    others |= {made + "x", made[:-1], f" {made}", made.upper(), made.lower(), f"{made}\u00e4", ""} - {made}
    assert [each for each in others if open_session(SessionId(each), "crm", ANN, KEY) is not None] == []


def test_another_key_opens_nothing():
    assert open_session(sign("s1"), "crm", ANN, b"o" * 32) is None
    assert derive_session_key(b"a") != derive_session_key(b"b")


@given(st.text())
def test_any_text_opens_nothing(text):
    assert open_session(SessionId(text), "crm", ANN, KEY) is None


@pytest.mark.parametrize("backend_id", ["", "a b", "ä", "a\n", "\x7f", "x" * 1001])
def test_backend_id_that_mcp_does_not_allow_is_given_to_nobody(backend_id):
    assert sign_session(backend_id, "crm", ANN, KEY, declares_url=False) is None


def test_longest_id_is_one_that_a_client_may_send():
    assert len(sign("x" * 1000)) <= 1024
