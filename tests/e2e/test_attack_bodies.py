"""Bodies through a real Envoy: framing, encodings and bytes; what was decided on is what arrives, or nothing does."""

import gzip
import json
import zlib
from dataclasses import replace

import pytest

from tests.e2e.wire import (
    AS_SENT,
    GOOD,
    Case,
    Passed,
    Sent,
    exchange,
    expected_of,
    outcome_of,
    read_answers,
    received_by_all,
    render,
)
from tests.stage.world import World, tool_call

pytestmark = pytest.mark.envoy

LENGTH, CODING, TYPE = "content-length", "transfer-encoding", "content-type"
FORBIDDEN = json.dumps(tool_call("update_deal")).encode()
LIMIT = 1024 * 1024
SIZE = len(GOOD)
IN_CHUNKS = Passed({LENGTH: None, CODING: "chunked"})
ENDLESS = f"{0xFFFFFFFFFFFFFFFF:x}"


def chunks(body: bytes, size: int = 7) -> bytes:
    """Write a body in chunks, the last one included."""
    parts = (body[start : start + size] for start in range(0, len(body), size))
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def chunked(body: bytes, coding: str = "chunked", *, stops: bool = False) -> Sent:
    return Sent(without=[LENGTH], added=[(CODING, coding)], body=body, stops=stops)


def _sized(size: str, behind: bytes = b"\r\n0\r\n\r\n") -> bytes:
    return size.encode() + b"\r\n" + GOOD + behind


# What arrives is one chunked body, and it is the call that was decided on.
READ_AS_CHUNKS = {
    "chunks": chunked(chunks(GOOD)),
    "one_chunk": chunked(chunks(GOOD, SIZE)),
    "single_bytes": chunked(chunks(GOOD, 1)),
    "coding_in_other_case": chunked(chunks(GOOD), "Chunked"),
    "coding_behind_tab": chunked(chunks(GOOD), "\tchunked\t"),
    "extension": chunked(_sized(f"{SIZE:x};a=b")),
    "extension_with_open_quote": chunked(_sized(f'{SIZE:x};a="')),
    "size_with_zeros": chunked(_sized(f"0000{SIZE:x}")),
    "size_in_upper_case": chunked(_sized(f"{SIZE:X}")),
    "size_with_blank_behind": chunked(_sized(f"{SIZE:x} ")),
    "line_feed_behind_chunk": chunked(_sized(f"{SIZE:x}", b"\n0\r\n\r\n")),
    "trailers": chunked(chunks(GOOD)[:-2] + b'agen-subject: "admin"\r\nmcp-name: update_deal\r\nx-kept: a\r\n\r\n'),
    "announced_trailers": replace(
        chunked(chunks(GOOD)[:-2] + b'agen-subject: "admin"\r\n\r\n'), raw="trailer: agen-subject\r\n"
    ),
    "trailer_with_underscore": chunked(chunks(GOOD)[:-2] + b'agen_subject: "admin"\r\n\r\n'),
    "trailer_length": chunked(chunks(GOOD)[:-2] + b"content-length: 3\r\n\r\n"),
    "second_body_behind": replace(chunked(chunks(GOOD)), tail=chunks(FORBIDDEN)),
}
NOT_CHUNKS = {
    "hexadecimal_sign": _sized(f"0x{SIZE:x}"),
    "plus": _sized(f"+{SIZE:x}"),
    "minus": _sized(f"-{SIZE:x}"),
    "blank_before_size": _sized(f" {SIZE:x}"),
    "underscore_in_size": _sized("f_5"),
    "no_size": _sized(""),
    "size_beyond_64_bits": _sized(f"1{SIZE:016x}"),
    "extension_with_line_feed": _sized(f"{SIZE:x};a\nb"),
    "extension_with_return": _sized(f"{SIZE:x};a\rb"),
    "line_feeds_alone": _sized(f"{SIZE:x}", b"").replace(b"\r\n", b"\n") + b"\n0\n\n",
    "no_line_end_behind_chunk": _sized(f"{SIZE:x}", b"0\r\n\r\n"),
    "trailer_with_blank": chunks(GOOD)[:-2] + b"a b: c\r\n\r\n",
    "trailer_without_colon": chunks(GOOD)[:-2] + b"agen-subject\r\n\r\n",
}
CODINGS = [
    "identity", "gzip", "gzip, chunked", "chunked, gzip", "chunked, identity", "chunked, chunked", "chunked,",
    ",chunked", "xchunked", "chunked;q=1", '"chunked"', "",
]  # fmt: skip
# Envoy waits for what is missing; when the client goes, nobody has been asked.
CUT = {
    # Larger than all that comes: one more octet would swallow a return only, and a bare line feed ends the chunk.
    "size_larger_than_body": chunked(_sized(f"{SIZE + 100:x}"), stops=True),
    "endless_chunk": chunked(_sized(ENDLESS), stops=True),
    "no_last_chunk": chunked(_sized(f"{SIZE:x}", b"\r\n"), stops=True),
    "no_end_of_trailers": chunked(_sized(f"{SIZE:x}", b"\r\n0\r\n"), stops=True),
    "whole_message_but_length": Sent(replaced=[(LENGTH, str(SIZE + 1))], stops=True),
    "half_a_message": Sent(replaced=[(LENGTH, "{length}0")], body=GOOD[: SIZE // 2], stops=True),
    "headers_only": Sent(replaced=[(LENGTH, str(SIZE))], body=b"", stops=True),
    "within_headers": Sent(line="POST /crm/mcp HTTP/1.1\r\nx-dropped", raw="x", stops=True, body=b""),
}
FRAMING = {
    **{f"read_{name}": Case(sent, 200, None, IN_CHUNKS) for name, sent in READ_AS_CHUNKS.items()},
    **{f"no_chunks_{name}": Case(chunked(body), 400) for name, body in NOT_CHUNKS.items()},
    **{f"coding {coding!r}": Case(chunked(chunks(GOOD), coding), 501) for coding in CODINGS},
    **{f"cut_{name}": Case(sent, 0) for name, sent in CUT.items()},
    "size_smaller_than_body": Case(chunked(_sized(f"{SIZE - 1:x}")), 400, "json_syntax"),
    "coding_with_vertical_tab": Case(chunked(chunks(GOOD), "\x0bchunked"), 400),
    "two_codings": Case(
        Sent(without=[LENGTH], added=[(CODING, "chunked"), (CODING, "identity")], body=chunks(GOOD)), 501
    ),
    "two_equal_codings": Case(
        Sent(without=[LENGTH], added=[(CODING, "chunked"), (CODING, "chunked")], body=chunks(GOOD)), 501
    ),
    "coding_under_underscore": Case(Sent(added=[("transfer_encoding", "chunked")]), 200, None, AS_SENT),
    "no_chunk": Case(chunked(b"0\r\n\r\n"), 400, "body_empty"),
    "length_and_coding": Case(Sent(added=[(CODING, "chunked")]), 400),
    "length_and_coding_of_chunks": Case(Sent(added=[(CODING, "chunked")], body=chunks(GOOD)), 400),
    "coding_before_length": Case(
        Sent(line="POST /crm/mcp HTTP/1.1\r\ntransfer-encoding: chunked", body=chunks(GOOD)), 400
    ),
    "length_and_identity": Case(Sent(added=[(CODING, "identity")]), 400),
    "request_hidden_by_coding": Case(
        Sent(added=[(CODING, "chunked")], body=b"0\r\n\r\n", tail=b"POST /billing/mcp HTTP/1.1\r\nhost: x\r\n\r\n"), 400
    ),
    "two_lengths": Case(Sent(added=[(LENGTH, "3")]), 400),
    "two_equal_lengths": Case(Sent(added=[(LENGTH, "{length}")]), 400),
    "no_length": Case(Sent(without=[LENGTH]), 400, "body_empty"),
    "no_body": Case(Sent(body=b""), 400, "body_empty"),
    "length_zero": Case(Sent(replaced=[(LENGTH, "0")]), 400, "body_empty"),
    "length_with_zeros": Case(Sent(replaced=[(LENGTH, "00{length}")]), 413, "body_partial"),
    "length_smaller_than_body": Case(Sent(replaced=[(LENGTH, str(SIZE - 1))]), 400, "json_syntax"),
    "request_behind": Case(
        Sent(tail=b"POST /billing/mcp HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"), 200, None, AS_SENT
    ),
    "expects_no_less": Case(Sent(added=[("expect", "100-continue"), ("expect", "200-ok")]), 200, None, AS_SENT),
    "stranger_expects": Case(Sent(added=[("expect", "100-continue")], without=["authorization"]), 401, "token_missing"),
    **{
        f"length {length!r}": Case(Sent(replaced=[(LENGTH, length)]), 400)
        for length in (
            "", "+{length}", "-1", "-{length}", "0x10", "{length}.0", "1e3", "_{length}", "{length};", "{length} 1",
            "{length}, {length}", "{length},", "99999999999999999999", "18446744073709551616",
        )
    },
}  # fmt: skip


def _with_body(body: bytes) -> Case:
    return Case(Sent(body=body), 200, None, Passed({}, body))


def _in_chunks(body: bytes, status: int) -> Case:
    passed = Passed({LENGTH: None, CODING: "chunked"}, body) if status == 200 else None
    return Case(chunked(chunks(body, 65_536)), status, None, passed)


SIZES = {
    "at_the_limit": _with_body(GOOD.ljust(LIMIT)),
    "at_the_limit_in_chunks": _in_chunks(GOOD.ljust(LIMIT), 200),
    "beyond_the_limit": Case(Sent(body=GOOD.ljust(LIMIT + 1)), 413),
    "beyond_the_limit_in_chunks": _in_chunks(GOOD.ljust(LIMIT + 1), 413),
    "strangers_megabytes": Case(Sent(without=["authorization"], body=GOOD.ljust(2 * LIMIT)), 401, "token_missing"),
    "blanks_around": _with_body(b" \r\n\t" + GOOD + b"\n"),
}
UNREAD_TYPES = [
    "", "*/*", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a",
    "application/json; charset=utf-16", "application/json;charset=utf-7", "application/json; charset=latin1",
    "application/json;charset=utf-8;charset=utf-16", "application/json; boundary=a", "application/json; q=1",
    "application/json;", "application/jsonp", "application/json+x", "application/vnd.api+json", "application/json-seq",
    "application/x-ndjson", "application/cbor",
]  # fmt: skip
UNREAD_ENCODINGS = ["gzip", "GZIP", "x-gzip", "br", "deflate", "zstd", "", "identity;q=1", "aws-chunked", "utf-8"]
READ_TYPES = ['application/json; charset="utf-8"', "application/json ; charset=utf-8", "application/json;charset=UTF-8"]
MEDIA = {
    **{f"type {media!r}": Case(Sent(replaced=[(TYPE, media)]), 415, "media_type") for media in UNREAD_TYPES},
    **{
        f"encoding {coding!r}": Case(Sent(added=[("content-encoding", coding)]), 415, "content_encoding")
        for coding in UNREAD_ENCODINGS
    },
    **{
        f"read type {media!r}": Case(Sent(replaced=[(TYPE, media)]), 200, None, Passed({TYPE: media}))
        for media in READ_TYPES
    },
    "no_type": Case(Sent(without=[TYPE]), 415, "media_type"),
    "tab_in_type": Case(Sent(replaced=[(TYPE, "application/json\tx")]), 400, "header_malformed"),
    "compressed": Case(
        Sent(added=[("content-encoding", "gzip")], body=gzip.compress(GOOD)), 415, "content_encoding"
    ),
    "compressed_in_chunks": Case(
        Sent(
            without=[LENGTH],
            added=[("content-encoding", "deflate"), (CODING, "chunked")],
            body=chunks(zlib.compress(GOOD)),
        ),
        415,
        "content_encoding",
    ),
}  # fmt: skip
BYTES = {
    "silently_compressed": (gzip.compress(GOOD), "json_encoding"),
    "silently_deflated": (zlib.compress(GOOD), "json_encoding"),
    "byte_order_mark": (b"\xef\xbb\xbf" + GOOD, "json_encoding"),
    "utf_16": (GOOD.decode().encode("utf-16"), "json_encoding"),
    "utf_16_without_mark": (GOOD.decode().encode("utf-16-le"), "json_syntax"),
    "utf_32": (GOOD.decode().encode("utf-32"), "json_encoding"),
    "latin_1": (GOOD.replace(b"c-1001", b"c-\xe9"), "json_encoding"),
    "overlong": (GOOD.replace(b"c-1001", b"\xc0\xaf"), "json_encoding"),
    "half_a_pair": (GOOD.replace(b"c-1001", b"\\ud800"), "json_surrogate"),
    "half_a_pair_as_bytes": (GOOD.replace(b"c-1001", b"\xed\xa0\x80"), "json_encoding"),
    "two_messages": (GOOD + FORBIDDEN, "json_syntax"),
    "two_lines": (GOOD + b"\n" + FORBIDDEN, "json_syntax"),
    "nul_behind": (GOOD + b"\x00", "json_syntax"),
    "comment_behind": (GOOD + b"//x", "json_syntax"),
    "form_feed_before": (b"\x0c" + GOOD, "json_syntax"),
    "no_break_space_before": (b"\xc2\xa0" + GOOD, "json_syntax"),
    "record_separator": (b"\x1e" + GOOD, "json_syntax"),
    "guarded": (b")]}',\n" + GOOD, "json_syntax"),
    "as_a_call": (b"a(" + GOOD + b")", "json_syntax"),
    "as_a_form": (b"a=" + GOOD, "json_syntax"),
    "as_parts": (b"--a\r\ncontent-type: application/json\r\n\r\n" + GOOD + b"\r\n--a--", "json_syntax"),
    "as_a_string": (json.dumps(GOOD.decode()).encode(), "not_a_message"),
    "batch": (b"[" + GOOD + b"]", "batch"),
    "name_twice": (GOOD.replace(b'"name":', b'"name": "update_deal", "name":'), "json_duplicate_key"),
    "name_twice_escaped": (GOOD.replace(b'"name":', b'"n\\u0061me": "update_deal", "name":'), "json_duplicate_key"),
    "name_in_other_case": (GOOD.replace(b'"name":', b'"Name": "update_deal", "name":'), "json_key_twin"),
    "cut_off": (GOOD[:-1], "json_syntax"),
}


@pytest.mark.parametrize("case", FRAMING.values(), ids=FRAMING)
def test_framing_leaves_one_body_or_none(attacked: World, case: Case):
    assert outcome_of(attacked, case) == expected_of(attacked, case)


@pytest.mark.parametrize("case", SIZES.values(), ids=SIZES)
def test_body_is_whole_or_refused(attacked: World, case: Case):
    assert outcome_of(attacked, case) == expected_of(attacked, case)


@pytest.mark.parametrize("case", MEDIA.values(), ids=MEDIA)
def test_only_plain_json_is_read(attacked: World, case: Case):
    assert outcome_of(attacked, case) == expected_of(attacked, case)


@pytest.mark.parametrize("framing", ["counted", "chunked"])
@pytest.mark.parametrize(("body", "reason"), BYTES.values(), ids=BYTES)
def test_refused_bytes_are_refused_however_they_are_framed(attacked: World, framing: str, body: bytes, reason: str):
    case = Case(Sent(body=body) if framing == "counted" else chunked(chunks(body)), 400, reason)
    assert outcome_of(attacked, case) == expected_of(attacked, case)


def test_each_request_of_a_connection_is_decided_on_its_own(attacked: World):
    stays = Sent(without=["connection"])
    tokens = [attacked.one.mint(attacked.crm, sub=subject) for subject in ("ann", "bob")]
    sent = [
        render(attacked, stays, tokens[0]),
        render(attacked, replace(stays, without=["connection", "authorization"], body=b"")),
        render(attacked, replace(stays, body=FORBIDDEN, replaced=[("mcp-name", "update_deal")]), tokens[0]),
        render(attacked, Sent(), tokens[1]),
    ]
    answers = read_answers(exchange(attacked, b"".join(sent), wanted=len(sent)))
    arrived = [dict(entry["headers"])["agen-subject"] for entry in received_by_all(attacked)]
    assert ([answer.status for answer in answers], arrived) == ([200, 401, 200, 200], ['"ann"', '"bob"'])
