"""Bank accounts: examples of the registries, and invented ones."""

from agen_authz.core.masking import Detectors, detect
from agen_authz.core.masking.catalog.bank import is_clabe, is_dutch_account, is_iban
from tests.core.masking.every import every

_IBANS = (
    "AD1200012030200359100100", "AE070331234567890123456", "AL47212110090000000235698741", "AT611904300234573201",
    "AZ21NABZ00000000137010001944", "BE68539007547034", "BG80BNBG96611020345678", "BH67BMAG00001299123456",
    "BR9700360305000010009795493P1", "CH9300762011623852957", "CY17002001280000001200527600",
    "CZ6508000000192000145399", "DE89370400440532013000", "DK5000400440116243", "EE382200221020145685",
    "ES9121000418450200051332", "FI2112345600000785", "FR1420041010050500013M02606", "GB29NWBK60161331926819",
    "GE29NB0000000101904917", "GI75NWBK000000007099453", "GR1601101250000000012300695", "HR1210010051863000160",
    "HU42117730161111101800000000", "IE29AIBK93115212345678", "IL620108000000099999999", "IS140159260076545510730339",
    "IT60X0542811101000000123456", "KW81CBKU0000000000001234560101", "LT121000011101001000", "LU280019400644750000",
    "LV80BANK0000435195001", "MC5811222000010123456789030", "MT84MALT011000012345MTLCAST001S", "NL91ABNA0417164300",
    "NO9386011117947", "PL61109010140000071219812874", "PT50000201231234567890154", "RO49AAAA1B31007593840000",
    "SA0380000000608010167519", "SE4550000000058398257466", "SI56263300012039086", "SK3112000000198742637541",
    "TR330006100519786457841326", "UA213223130000026007233566001",
)  # fmt: skip


def _found(name: str, text: str, *path: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name), path=path)]


def _group(value: str) -> str:
    return " ".join(value[place : place + 4] for place in range(0, len(value), 4))


@every("number", _IBANS)
def test_an_iban_is_found_bare_and_in_groups(number: str) -> None:
    assert _found("iban", number) == [number]
    assert _found("iban", f"to {_group(number)}, please") == [_group(number)]


@every("number", _IBANS)
def test_no_iban_with_one_digit_changed_is_one(number: str) -> None:
    changed = number[:-2] + str((int(number[-2]) + 1) % 10 if number[-2].isdigit() else 0) + number[-1]
    assert not is_iban(changed)
    assert _found("iban", changed) == []


@every("value", ["DE8937040044053201300", "XX89370400440532013000", "DE", "DE89"])
def test_an_iban_has_its_country_s_length(value: str) -> None:
    assert not is_iban(value)


@every(
    ("text", "value"),
    [
        ("BIC COBADEFFXXX", "COBADEFFXXX"),
        ("SWIFT code: DEUTDEFF", "DEUTDEFF"),
        ("Swift/BIC is BOFAUS3N", "BOFAUS3N"),
        ("iban and CHASUS33", "CHASUS33"),
    ],
)
def test_a_bic_is_found_by_its_word(text: str, value: str) -> None:
    assert _found("bic", text) == [value]


@every("text", ["BUSINESS", "swift code review", "PARTNO12", "the BIC pen COMPANYX"])
def test_other_words_are_no_bics(text: str) -> None:
    assert _found("bic", text) == []


@every(
    ("name", "text", "value"),
    [
        ("bank_account", "account number: 12345678", "12345678"),
        ("bank_account", "Kontonummer 0532013000", "0532013000"),
        ("bank_account", "My bank account is 9876543210", "9876543210"),
        ("bank_account", "número de cuenta es 1234567890", "1234567890"),
        ("bank_account", "wire it to account 1234567890", "1234567890"),
        ("sort_code", "sort code 20-00-00", "20-00-00"),
        ("sort_code", "sortcode: 200000", "200000"),
        ("clabe", "032180000118359719", "032180000118359719"),
        ("clabe", "CLABE 032 180 00011835971 9", "032 180 00011835971 9"),
        ("cbu", "2850590940090418135201", "2850590940090418135201"),
        ("nl_bank_account", "12.34.56.789", "12.34.56.789"),
        ("nl_bank_account", "rekeningnummer 123456789", "123456789"),
        ("nl_bank_account", "NL91 ABNA 0417 1643 00", "NL91 ABNA 0417 1643 00"),
        ("jp_bank_account", "bank account 0001-001-1234567", "0001-001-1234567"),
        ("jp_bank_account", "口座番号 1234567", "1234567"),
        ("il_bank_account", "bank account 12-345-678901", "12-345-678901"),
        ("il_bank_account", "מספר חשבון 123456", "123456"),
    ],
)
def test_an_account_is_found(name: str, text: str, value: str) -> None:
    assert _found(name, text) == [value]


@every(
    ("name", "text"),
    [
        ("bank_account", "12345678"),
        ("bank_account", "account 12345678 of order 7"),
        ("sort_code", "20-00-00"),
        ("clabe", "032180000118359718"),
        ("clabe", "132180000118359719"),
        ("cbu", "2850590940090418135200"),
        ("nl_bank_account", "12.34.56.788"),
        ("nl_bank_account", "123456789"),
        ("jp_bank_account", "1234567"),
        ("il_bank_account", "12-345-678901"),
    ],
)
def test_other_numbers_are_no_accounts(name: str, text: str) -> None:
    assert _found(name, text) == []


@every(
    ("name", "member", "value"),
    [
        ("iban", "iban", "DE89 3704 0044 0532 0130 01"),
        ("bic", "swiftCode", "deutdeff"),
        ("bank_account", "accountNumber", "12345678"),
        ("bank_account", "kontonummer", "0532013000"),
        ("sort_code", "sort_code", "200000"),
        ("clabe", "clabe", "032180000118359718"),
    ],
)
def test_a_member_tells_what_is_in_it(name: str, member: str, value: str) -> None:
    assert _found(name, value, member) == [value]


def test_the_check_digits_are_computed_as_published() -> None:
    assert is_clabe("032180000118359719")
    assert is_dutch_account("123456789")
    assert not is_dutch_account("000000000")
