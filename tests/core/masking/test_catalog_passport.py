"""Passports of countries outside Europe, each number invented: they are found next to a word only."""

from agen_authz.core.masking import Detectors, detect
from tests.core.masking.every import every

# What is found only next to a word that says what it is.
NAMED = [
    ("us_passport", "passport: D12284682", "D12284682"),
    ("us_passport", "passport: 407454105", "407454105"),
    ("ca_passport", "passport: OH-189343", "OH-189343"),
    ("ca_passport", "passport: T596816GO", "T596816GO"),
    ("mx_passport", "passport: N04996881", "N04996881"),
    ("br_passport", "passport: SW002180", "SW002180"),
    ("ar_passport", "passport: WFS342170", "WFS342170"),
    ("cn_passport", "passport: E83913459", "E83913459"),
    ("cn_passport", "passport: 143745850", "143745850"),
    ("tw_passport", "passport: 964799443", "964799443"),
    ("jp_passport", "passport: AK 1632226", "AK 1632226"),
    ("kr_passport", "passport: G096I8729", "G096I8729"),
    ("kr_passport", "passport: R56346657", "R56346657"),
    ("kr_passport", "passport: CH1404646", "CH1404646"),
    ("in_passport", "passport: A52 43469", "A52 43469"),
    ("pk_passport", "passport: EY7753783", "EY7753783"),
    ("ph_passport", "passport: N4201190I", "N4201190I"),
    ("ph_passport", "passport: GG5792317", "GG5792317"),
    ("sg_passport", "passport: X1460418X", "X1460418X"),
    ("th_passport", "passport: R570481", "R570481"),
    ("my_passport", "passport: A14101192", "A14101192"),
    ("id_passport", "passport: A8964752", "A8964752"),
    ("vn_passport", "passport: K2810021", "K2810021"),
    ("il_passport", "passport: 5088683", "5088683"),
    ("ae_passport", "passport: 649651644", "649651644"),
    ("au_passport", "passport: X9562929", "X9562929"),
    ("au_passport", "passport: RB4296279", "RB4296279"),
    ("nz_passport", "passport: OG598906", "OG598906"),
    ("za_passport", "passport: D82786495", "D82786495"),
    ("ng_passport", "passport: A70622226", "A70622226"),
]


def _find(name: str, text: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name))]


@every(("name", "text", "value"), NAMED)
def test_a_plain_number_is_found_next_to_a_word_and_not_without(name: str, text: str, value: str) -> None:
    assert _find(name, text) == [value]
    assert _find(name, f"the value {value} was seen") == []
