"""Values in sentences: in front of the word that names them, and behind it without a colon."""

from agen_authz.core.masking import Detectors, detect
from tests.core.masking.every import every


def _found(name: str, text: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name))]


@every(
    ("name", "text", "value"),
    [
        ("cvv", "4475 is the CVC of this card", "4475"),
        ("cvv", "security code = 2480; checked last week", "2480"),
        ("card_pin", "1234 is my PIN", "1234"),
        ("card_expiry", "03/27 is the expiry date", "03/27"),
        ("date_of_birth", "1943-10-27 is the DOB on file", "1943-10-27"),
        ("date_of_birth", "12 September 1980 is her date of birth", "12 September 1980"),
        ("date_of_birth", "27.10.1943 ist das Geburtsdatum", "27.10.1943"),
        ("admission_date", "2025-01-21 was the admission date", "2025-01-21"),
        ("death_date", "2025-04-25 ist das Sterbedatum", "2025-04-25"),
        ("license_plate", "9ZAG110 is the plate of the car", "9ZAG110"),
        ("de_license_plate", "M-SO 4744 ist das Kennzeichen", "M-SO 4744"),
        ("medical_record_number", "2172999 is the patient's MRN", "2172999"),
        ("diagnosis_code", "E11.9 is the ICD-10 code", "E11.9"),
        ("procedure_code", "99212 is the procedure code", "99212"),
        ("prescription_number", "1302134 is the Rx number", "1302134"),
        ("ad_id", "7b813de8-489d-4ed5-ac77-6123647ccda2 is the advertising id", "7b813de8-489d-4ed5-ac77-6123647ccda2"),
        ("bic", "BNPAFRPPXXX is the SWIFT code", "BNPAFRPPXXX"),
        ("bank_account", "35818631 es el número de cuenta", "35818631"),
        ("age", "90 is her age", "90"),
        ("nationality", "her nationality is Italian", "Italian"),
        ("nationality", "nationality Spanish, as agreed", "Spanish"),
        ("nationality", "Italian is the nationality", "Italian"),
        ("username", "The customer's login is jkruger49.", "jkruger49"),
        ("username", "username mconti38, as agreed", "mconti38"),
        ("username", "tweber13 is the username", "tweber13"),
        ("one_time_code", "354525 is the verification code", "354525"),
        ("one_time_code", "one-time code 351535, valid for a minute", "351535"),
        ("password", "mot de passe Winter-2026-Rain!, as agreed", "Winter-2026-Rain!"),
        ("password", "tr0ub4dor&0714 ist das Passwort", "tr0ub4dor&0714"),
        (
            "token",
            "token 55ddf71231e2841a6af55bd9da94066dc4ebe44d, as agreed",
            "55ddf71231e2841a6af55bd9da94066dc4ebe44d",
        ),
        ("api_key", "API_KEY 0e2156323fa11c16ad0de66087d02d1b", "0e2156323fa11c16ad0de66087d02d1b"),
        ("api_key", "0e2156323fa11c16ad0de66087d02d1b is the api key", "0e2156323fa11c16ad0de66087d02d1b"),
        ("gps", "location 44.507112 N, 77.512089 W", "44.507112 N, 77.512089 W"),
    ],
)
def test_a_value_in_a_sentence_is_found(name: str, text: str, value: str) -> None:
    assert _found(name, text) == [value]


@every(
    ("name", "text"),
    [
        ("cvv", "404 is the error; the CVC was refused"),
        ("cvv", "the security code review of 2024"),
        ("card_pin", "1234 is the room, a pin marks it"),
        ("date_of_birth", "2024-01-01 is the date of the release; born as a fork"),
        ("license_plate", "this is the plate"),
        ("nationality", "the Nationality Act of 1948"),
        ("username", "login node12 is down; login server01 too"),
        ("username", "the username field is required"),
        ("one_time_code", "the verification code in line 12"),
        ("password", "MD5 is the password hash of old systems"),
        ("password", "password PBKDF2-HMAC-SHA256, password OAuth2.0, password utf-8"),
        ("password", "First pass: look at all lines"),
        ("token", "next page token 55ddf71231e2841a6af55bd9da94066dc4ebe44d"),
        ("token", "token validation/in_the_middleware_of_the_server"),
        ("api_key", "api key rotation-policies-of-all-the-services-in-production"),
    ],
)
def test_a_sentence_about_something_else_is_left(name: str, text: str) -> None:
    assert _found(name, text) == []
