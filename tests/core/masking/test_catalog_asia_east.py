"""Numbers of East Asia, each invented: in which words they are found, and which look-alikes are not."""

from agen_authz.core.masking import Detectors, detect
from tests.core.masking.every import every

# What is typical enough to be found anywhere.
ALONE = [
    ("cn_ric", "320831200109214360"),
    ("cn_ric", "649664 18080923-9124"),
    ("cn_uscc", "19431234Q3Y79UNFM2"),
    ("hk_id", "C972250-3"),
    ("hk_id", "XD683280 (1)"),
    ("jp_corporate_number", "T8804022193461"),
    ("jp_corporate_number", "4-1687-1111-0128"),
    ("jp_residence_card", "XO50631757RA"),
    ("kr_rrn", "900716-2839222"),
    ("kr_rrn", "221107 3403842"),
    ("kr_frn", "451017-7377934"),
    ("kr_frn", "9510175848841"),
    ("kr_driver_license", "16 22 865421 95"),
    ("kr_passport_mrz", "OA7K7GPF78KOR8332391M8778798"),
    ("kr_passport_mrz", "PMKORKIM<<MINJUN<<<<<<<<<<<<<<<<<<<<<<<<<<<<"),
    ("kr_passport_mrz", "DQG1UJNN76KOR9565837F2713090JWIGD963"),
    ("kr_brn", "830-99-30382"),
]

# What is found only next to a word that says what it is.
NAMED = [
    ("tw_id", "taiwan id: YA98910106", "YA98910106"),
    ("cn_ric", "china id: 326568410926002", "326568410926002"),
    ("hk_id", "hkid: ZA4780400", "ZA4780400"),
    ("tw_ubn", "ubn: 41053780", "41053780"),
    ("jp_my_number", "my number: 3546-1186-0761", "3546-1186-0761"),
    ("jp_my_number", "my number: 710741120370", "710741120370"),
    ("jp_corporate_number", "corporate number: 6532703523705", "6532703523705"),
    ("jp_driver_license", "driver license: 046391048631", "046391048631"),
    ("jp_resident_registration", "resident registration: 03558-71145-7", "03558-71145-7"),
    ("jp_social_insurance", "social insurance: 8850-766530", "8850-766530"),
    ("jp_social_insurance", "social insurance: 09970949086", "09970949086"),
    ("kr_domestic_residence", "domestic residence: 331030 7494883", "331030 7494883"),
    ("kr_driver_license", "driver license: 146195644290", "146195644290"),
    ("kr_health_insurance", "health insurance: 14808422005", "14808422005"),
    ("kr_brn", "brn: 5287711779", "5287711779"),
    ("kr_crn", "crn: 602380-2977594", "602380-2977594"),
    ("kr_crn", "crn: 6195025113352", "6195025113352"),
]

# What has the form, but a date or a check digit that cannot be.
LOOK_ALIKES = [
    ("cn_ric", "china id: 320831200109214361"),
    ("cn_ric", "china id: 649664 18080923-9120"),
    ("cn_ric", "china id: 326568410936002"),
    ("cn_uscc", "uscc: 19431234Q3Y79UNFM0"),
    ("hk_id", "hkid: ZA4780401"),
    ("hk_id", "hkid: C972250-0"),
    ("hk_id", "hkid: XD683280 (0)"),
    ("tw_id", "taiwan id: YA98910100"),
    ("tw_ubn", "ubn: 41053781"),
    ("jp_my_number", "my number: 3546-1186-0760"),
    ("jp_my_number", "my number: 710741120371"),
    ("jp_corporate_number", "corporate number: T8804022193460"),
    ("jp_corporate_number", "corporate number: 4-1687-1111-0120"),
    ("jp_corporate_number", "corporate number: 6532703523700"),
    ("kr_rrn", "rrn: 900716-2839220"),
    ("kr_rrn", "rrn: 221107 0403842"),
    ("kr_frn", "frn: 451017-7377930"),
    ("kr_frn", "frn: 9510175848840"),
    ("kr_domestic_residence", "domestic residence: 331030 0494883"),
    ("kr_brn", "brn: 030-99-30382"),
    ("kr_brn", "brn: 0287711779"),
    ("kr_crn", "crn: 602380-2977590"),
    ("kr_crn", "crn: 6195025113350"),
]


def _find(name: str, text: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name))]


@every(("name", "value"), ALONE)
def test_a_typical_number_is_found_among_any_words(name: str, value: str) -> None:
    assert _find(name, f"the value {value} was seen") == [value]


@every(("name", "text", "value"), NAMED)
def test_a_plain_number_is_found_next_to_a_word_and_not_without(name: str, text: str, value: str) -> None:
    assert _find(name, text) == [value]
    assert _find(name, f"the value {value} was seen") == []


@every(("name", "text"), LOOK_ALIKES)
def test_a_number_with_a_wrong_digit_is_not_found_even_next_to_a_word(name: str, text: str) -> None:
    assert _find(name, text) == []
