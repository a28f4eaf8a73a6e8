"""The attacks are what they say, and the table says when one was not held."""

import json

import pytest

from agen_authz.core.message.mcp import BodyLimits
from agen_authz.core.model import Issuer, Owner, SessionId, Subject
from agen_authz.core.session import open_session, sign_session
from bench.attack.kind import CALLERS, IDS, KINDS, MIB
from bench.attack.report import GOAL, Got, Row, render, sum_up
from bench.attack.stage import configured
from tests.stage.setting import Setting, running_issuer
from tests.stage.storm import Answered


@pytest.fixture(scope="module")
def setting(tmp_path_factory):
    with running_issuer(tmp_path_factory.mktemp("attack")) as setting:
        yield setting


@pytest.mark.parametrize("name", KINDS)
def test_attack_is_requests_that_envoy_and_check_take(setting: Setting, name):
    for raw in KINDS[name].build(setting):
        head, _, body = raw.partition(b"\r\n\r\n")
        rows = dict(row.split(": ", 1) for row in head.decode("ascii").split("\r\n")[1:])
        assert int(rows["content-length"]) == len(body) <= BodyLimits(MIB, 64).request_bytes
        assert len(head) < 60 * 1024
        assert json.loads(body)["method"] in ("tools/call", "subscriptions/listen")


def test_invented_ids_have_the_form_of_real_ones_and_open_nothing(setting):
    ids = {raw.split(b"mcp-session-id: ")[1].split(b"\r\n")[0].decode() for raw in KINDS["sessions"].build(setting)}
    assert len(ids) == IDS == 64 * CALLERS
    ann = Owner(Issuer("https://idp.example.com"), Subject("ann"))
    real = sign_session("s-1", "crm", ann, b"k" * 32, declares_url=False)
    assert real is not None
    assert {(each[22], each[23:25]) for each in {*ids, real}} == {("-", "s-")}
    assert {open_session(SessionId(each), "crm", ann, b"k" * 32) for each in ids} == {None}


def test_conditions_that_do_not_load_are_left_out_and_named(setting, monkeypatch):
    monkeypatch.setattr("bench.attack.stage.HEAVY", (("bad", "size(args.items.filter(i"),))
    text, refused = configured(setting.config_file.read_text("utf-8"), setting.folder)
    assert (refused, "name: bad" in text, "name: wide 19" in text) == (["size(args.items.filter(i"], False, True)


def got(*rows: tuple[int, float]) -> Got:
    return sum_up([Answered(0.0, status, taken_ms) for status, taken_ms in rows])


def test_what_good_callers_got_counts_denied_ones_and_their_time():
    assert got(*[(200, 1.0)] * 98, (503, 9.0), (0, 8.0)) == Got({0: 1, 200: 98, 503: 1}, 1.0, 9.0)
    assert got((200, 1.0), (503, 9.0)).denied == 1
    assert got() == Got({}, 0.0, 0.0)


@pytest.mark.parametrize(
    ("beside", "is_held"),
    [
        pytest.param(Got({200: 9}, 1.0, 2.0 * GOAL), True, id="slower within the goal"),
        pytest.param(Got({200: 9}, 1.0, 2.1 * GOAL), False, id="too slow"),
        pytest.param(Got({200: 9, 503: 1}, 1.0, 2.0), False, id="one denied"),
    ],
)
def test_attack_is_held_if_none_is_denied_and_none_too_slow(beside, is_held):
    row = Row("0a", "forged", Got({200: 9}, 1.0, 2.0), beside, {401: 5})
    assert (row.is_held, "**not held**" not in render(row)) == (is_held, is_held)
