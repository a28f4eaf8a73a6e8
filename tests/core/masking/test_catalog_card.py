"""Payment cards: test numbers that networks and processors publish, and what proves that a card is at hand."""

from agen_authz.core.masking import Detectors, detect
from agen_authz.core.masking.catalog.card import ROWS
from agen_authz.core.masking.catalog.card_range import is_card
from agen_authz.core.masking.row import Preset, Style
from tests.core.masking.every import every

_CARDS = {
    "visa": "4111111111111111",
    "visa of 13 digits": "4222222222222",
    "visa of 19 digits": "4917610000000000003",
    "mastercard": "5555555555554444",
    "mastercard of the 2 series": "2223003122003222",
    "american express": "378282246310005",
    "diners of 14 digits": "36227206271667",
    "diners of 16 digits": "3056930009020004",
    "discover": "6011000990139424",
    "jcb": "3566002020360505",
    "jcb of before": "3088000000000017",
    "unionpay": "6200000000000005",
    "unionpay of 17 digits": "62055000000000004",
    "unionpay of 19 digits": "6205500000000000004",
    "unionpay that begins with 81": "8171999927660000",
    "maestro of 12 digits": "501800000009",
    "maestro of 13 digits": "6759111111113",
    "maestro of 15 digits": "501800000000007",
    "maestro of 16 digits": "6759649826438453",
    "maestro of 18 digits": "586824160825533338",
    "maestro of 19 digits": "6799990100000000019",
    "rupay": "5085000000000007",
    "mir": "2200000000000004",
    "elo": "6363680000000007",
    "hipercard": "6062828888666688",
    "troy": "9792000000000003",
    "uatp": "135410014004955",
    "verve": "5060990000000008",
    "dankort": "5019717010103742",
    "interpayment": "6360000000000001",
    "instapayment": "6370000000000009",
    "switch": "6331101999990016",
    "bancontact": "6703444444444449",
    "bankcard": "5610591081018250",
    "cabal": "6035227716427021",
    "uzcard": "8600000000000007",
    "humo": "9860000000000000",
    "napas": "9704360000000008",
    "gpn": "1946000000000005",
    "enroute": "201400000000009",
}
_GROUPED = (
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111.1111.1111.1111",
    "4111/1111/1111/1111",
    "3782 822463 10005",
    "3622 720627 1667",
    "3622 7206 2716 67",
    "4222 2222 2222 2",
    "4222 2222 22222",
    "6205 5000 0000 0000 004",
    "620550 0000000000004",
    "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
)


def _found(name: str, text: str, *path: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name), path=path)]


@every("number", _CARDS.values())
def test_a_card_is_found_alone(number: str) -> None:
    assert _found("credit_card", number) == [number]


@every("number", _CARDS.values())
def test_no_card_with_one_digit_changed_is_one(number: str) -> None:
    changed = [
        number[:place] + digit + number[place + 1 :]
        for place in range(len(number))
        for digit in "0123456789"
        if digit != number[place]
    ]
    assert [each for each in changed if is_card(each)] == []
    assert _found("credit_card", changed[-1]) == []


@every("number", _GROUPED)
def test_a_card_is_found_in_customary_groups(number: str) -> None:
    assert _found("credit_card", f"paid with {number}, thank you") == [number]


@every(
    "text",
    [
        "4111 1111-1111 1111",
        "9780306406157",
        "1700000000000",
        "5412345678908",
        "0.4111111111111112",
        "1234567812345670",
    ],
)
def test_other_numbers_are_no_cards(text: str) -> None:
    assert _found("credit_card", text) == []


def test_a_product_code_is_no_card_even_if_its_digits_are_those_of_one() -> None:
    assert _found("credit_card", "EAN 4222222222222") == []


def test_a_short_maestro_number_needs_a_word() -> None:
    number = "500000000009"
    assert not is_card(number)
    assert _found("credit_card", number) == []
    assert _found("credit_card", f"card {number}") == [number]


def test_a_card_of_an_order_is_still_found() -> None:
    assert _found("credit_card", "order paid by 4111111111111111") == ["4111111111111111"]


def test_an_unverified_card_needs_no_check_digit() -> None:
    assert _found("unverified_credit_card", "4111 1111 1111 1112") == ["4111 1111 1111 1112"]
    assert _found("unverified_credit_card", "7777 1111 1111 1112") == []


@every("number", ["9490-1234-5678-9013", "5555 5555 5555 4444"])
def test_a_korean_card_is_found(number: str) -> None:
    assert _found("southKoreaCreditCardNumber", f"카드번호: {number}") == [number]


@every(
    "track",
    [
        "%B4111111111111111^DOE/JOHN^25121011234567890?",
        ";4111111111111111=25121011234567890?",
        "4111111111111111=25121011234567890",
        "4111111111111111D25121011234567890F",
    ],
)
def test_a_track_is_found_whole(track: str) -> None:
    assert _found("card_track", f"read {track} from") == [f"{track}"]


@every("text", ["4111111111111112=25121011234567890", "a=1234567890123&b=123456789"])
def test_other_assignments_are_no_tracks(text: str) -> None:
    assert _found("card_track", text) == []


@every(
    ("text", "value"),
    [
        ("CVV: 123", "123"),
        ("CVC2 is 4567", "4567"),
        ("the card's security code is 999", "999"),
        ("cvv=042", "042"),
        ("CID 1234 (amex)", "1234"),
        ("tarjeta, código de seguridad: 321", "321"),
        ("Kartenprüfnummer 321", "321"),
    ],
)
def test_a_verification_code_is_found_by_its_word(text: str, value: str) -> None:
    assert _found("cvv", text) == [value]


@every("text", ["123", "CVV: 12345", "error code 404", "cid: 1234", "cvv checks: 12"])
def test_other_short_numbers_are_no_verification_codes(text: str) -> None:
    assert _found("cvv", text) == []


@every(
    ("text", "value"),
    [
        ("PIN: 1234", "1234"),
        ("your ATM PIN is 987654", "987654"),
        ("PIN block 0412AC89ABCDEF67", "0412AC89ABCDEF67"),
        ("Geheimzahl 4711", "4711"),
    ],
)
def test_a_pin_is_found_by_its_word(text: str, value: str) -> None:
    assert _found("card_pin", text) == [value]


@every("text", ["GPIO pin 1234", "pin 13", "PIN code 110001, district", "pinned 1234"])
def test_other_pins_are_none_of_cards(text: str) -> None:
    assert _found("card_pin", text) == []


@every(
    ("text", "value"),
    [
        ("VALID THRU 09/28", "09/28"),
        ("card exp 12/27", "12/27"),
        ("visa, expires 1/2030", "1/2030"),
        ("exp date: 12-2027", "12-2027"),
    ],
)
def test_an_expiry_is_found_by_its_word(text: str, value: str) -> None:
    assert _found("card_expiry", text) == [value]


@every("text", ["12/27", "offer expires 12/27", "exp date 12/27/2030", "exp 13/27 visa"])
def test_other_dates_are_no_expiries(text: str) -> None:
    assert _found("card_expiry", text) == []


@every(
    ("name", "path", "value"),
    [
        ("credit_card", "cardNumber", "4111111111111112"),
        ("cvv", "cvv2", "123"),
        ("card_pin", "pin", "1234"),
        ("card_expiry", "exp_month", "12"),
        ("card_expiry", "expiryDate", "12/27"),
        ("card_track", "track1", "B4111111111111111"),
    ],
)
def test_a_member_tells_what_is_in_it(name: str, path: str, value: str) -> None:
    assert _found(name, value, path) == [value]


def test_what_authenticates_a_payment_is_dropped() -> None:
    dropped = {row.id for row in ROWS if row.style is Style.DROP}
    assert dropped == {"card_track", "cvv", "card_pin", "card_expiry"}


def test_an_unverified_card_is_in_no_preset() -> None:
    assert {row.id for row in ROWS if Preset.PCI not in row.presets} == {"unverified_credit_card", "kr_credit_card"}
