"""What a person is reached by or found by on a network."""

from agen_authz.core.masking import Detectors, detect
from agen_authz.core.masking.catalog.network import ROWS
from tests.core.masking.every import every


def _found(name: str, text: str, *path: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name), path=path)]


@every(
    ("name", "text", "value"),
    [
        ("email", "mail john.doe+x@example.co.uk, thanks", "john.doe+x@example.co.uk"),
        ("email", "<o'brien@example.org>", "o'brien@example.org"),
        ("email", "jürgen@müller.de", "jürgen@müller.de"),
        ("email", "用户@例子.公司", "用户@例子.公司"),
        ("email", "https://a.test/?email=jane@example.org&x=1", "jane@example.org"),
        ("email", "mailto:a@b.io.", "a@b.io"),
        ("email", "x@xn--mller-kva.xn--p1ai", "x@xn--mller-kva.xn--p1ai"),
        ("phone", "call 415-555-2671", "415-555-2671"),
        ("phone", "415.555.2671", "415.555.2671"),
        ("phone", "tel. 415 555 2671", "415 555 2671"),
        ("fax", "fax: +49 30 123456-78", "+49 30 123456-78"),
        ("fax", "Télécopie 01 23 45 67 89", "01 23 45 67 89"),
        ("ip_address", "from 192.168.1.10:8080", "192.168.1.10"),
        ("ip_address", "subnet 10.0.0.1/24", "10.0.0.1"),
        ("ip_address", "dns 8.8.8.8", "8.8.8.8"),
        ("ip_address", "ip 1.2.3.45", "1.2.3.45"),
        ("ip_address", "2001:db8::8a2e:370:7334", "2001:db8::8a2e:370:7334"),
        ("ip_address", "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "2001:0db8:85a3:0000:0000:8a2e:0370:7334"),
        ("ip_address", "[fe80::1]:80", "fe80::1"),
        ("ip_address", "at ::ffff:192.168.1.10", "::ffff:192.168.1.10"),
        ("public_ip_address", "203.1.113.7", "203.1.113.7"),
        ("public_ip_address", "2606:4700:4700::1111", "2606:4700:4700::1111"),
        ("url", "see https://www.example.com/docs?a=b.", "https://www.example.com/docs?a=b"),
        ("url", "see www.example.com/x", "www.example.com/x"),
        ("url_userinfo", "postgresql+asyncpg://app:s3cr%21et@db.internal:5432/x", "app:s3cr%21et"),
        ("url_userinfo", "https://abcdefghij0123456789@github.com/x", "abcdefghij0123456789"),
        ("url_userinfo", "redis://:hunter2@cache:6379", ":hunter2"),
        ("gps", "52.5200° N, 13.4050° E", "52.5200° N, 13.4050° E"),
        ("gps", "40°26′46″N 79°58′56″W", "40°26′46″N 79°58′56″W"),
        ("gps", "location 37.77493, -122.41942", "37.77493, -122.41942"),
        ("gps", "longitude: -122.4194", "-122.4194"),
    ],
)
def test_a_value_is_found(name: str, text: str, value: str) -> None:
    assert _found(name, text) == [value]


@every(
    ("name", "text"),
    [
        ("email", "j***@example.com"),
        ("email", "[EMAIL] user@localhost @handle a@1.2.3.4"),
        ("email", "npm i @scope/package@1.2.3"),
        ("phone", "order 415-555-2671"),
        ("phone", "415 555 2671"),
        ("fax", "fax machine 3000"),
        ("ip_address", "version 10.15.7.21"),
        ("ip_address", "1.2.3.4"),
        ("ip_address", "section 3.2.1.12"),
        ("ip_address", "std::vector abc::def face::b00c 12:34:56 ::1"),
        ("ip_address", "300.1.1.1"),
        ("ip_address", "ip of the network 203.0.113.0/24"),
        ("ip_address", "ip of the network 2001:db8::/48"),
        ("public_ip_address", "192.168.1.10 10.0.0.1 127.0.0.1 fe80::1 fd00::12:1"),
        ("url_userinfo", "https://example.com:8080/a@b ssh://git@github.com/x"),
        ("url_userinfo", "https://user:***@example.com"),
        ("gps", "values 12.34567, 45.67891"),
        ("gps", "long 3.5"),
    ],
)
def test_other_text_is_none(name: str, text: str) -> None:
    assert _found(name, text) == []


@every(
    ("name", "member", "value"),
    [
        ("email", "emailAddress", "someone@intranet"),
        ("phone", "mobile_number", "0171 1234567"),
        ("phone", "telefono", "612345678"),
        ("fax", "fax", "030 123456"),
        ("ip_address", "clientIp", "1.2.3.4"),
        ("gps", "latitude", "37.77"),
        ("url", "homepage", "example.com"),
    ],
)
def test_a_member_tells_what_is_in_it(name: str, member: str, value: str) -> None:
    assert _found(name, value, member) == [value]


@every(
    ("name", "member", "value"), [("phone", "phone", "n/a"), ("email", "email", "none"), ("ip_address", "ip", "unset")]
)
def test_a_member_without_a_value_is_left(name: str, member: str, value: str) -> None:
    assert _found(name, value, member) == []


def test_urls_and_public_addresses_are_in_no_preset() -> None:
    assert [row.id for row in ROWS if not row.presets] == ["public_ip_address", "url"]
