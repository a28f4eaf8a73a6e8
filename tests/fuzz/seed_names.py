"""Seeds that are names, conditions, and arguments that conditions read."""

from collections.abc import Mapping

NAMES: Mapping[str, bytes] = {
    "tool": b"crm.get_customer:v2/x-1",
    "prompt": "r\u00e9sum\u00e9 \u6f22".encode(),
    "prompt-decomposed": "re\u0301sume".encode(),
    "uri": b"customer://1/notes?page=2",
    "uri-web": b"https://example.com:8443/a;v=1/b%20c",
    "uri-address": b"https://[2001:db8::1]/a",
    "uri-template": b"file:///{path}/x",
    "uri-escaped-twice": b"a:/%252e%252e/b",
    "uri-percent-escaped": b"a:/%E2%82%AC",
    "uri-userinfo": b"a://u@h/",
    "uri-web-userinfo": b"https://u@example.com/",
    "uri-dots-with-parameters": b"a:/x/..;y/z",
}
CONDITION_TEXTS: Mapping[str, bytes] = {
    "compare": b'args.n > 100 && user.subject != "bob"',
    "membership": b'"analyst" in user.roles || user.email_verified',
    "macros": b"args.l.exists(x, x == 1) && args.l.all(x, size(x) > 0)",
    "pattern": b'args.s.matches("^(a|b)+$")',
    "pattern-that-is-none": b'args.s.matches("(")',
    "not-declared": b"user.mail == 1",
    "of-another-type": b"args.n + 1",
    "deep": b"!" * 60 + b"(" * 60 + b"true" + b")" * 60,
    "time": b'timestamp("2026-01-01T00:00:00Z") < time.now + duration("1h")',
    "quoted": b'r"\\d" + \'\\u00e4\' == """a"""',
    "not-utf-8": b"args.\xff",
}
ARGUMENTS: Mapping[str, bytes] = {
    "every-kind": b'{"n":101,"s":"x","b":true,"l":[1,{"k":2},"x",null],"o":{"k":1.5},"a":{"action":"accept"}}',
    "nothing": b"{}",
    "of-other-types": b'{"n":"101","s":1,"b":null,"l":{"1":1},"o":[]}',
    "twins": b'{"n":1,"N":1000,"s":"x","\\u017f":"y"}',
    "inexact": b'{"n":9007199254740993,"s":["x",18446744073709551615],"l":[-9223372036854775808]}',
    "numbers": b'{"n":-0.0,"l":[1.0,1,1e308,5e-324],"o":{"k":1}}',
    "times": b'{"s":"2026-01-01T00:00:00Z","n":100}',
    "pattern": b'{"s":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"}',
    "deep": b'{"l":' + b"[" * 28 + b"]" * 28 + b"}",
}
