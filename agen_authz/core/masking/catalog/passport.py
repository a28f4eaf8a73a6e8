"""Passports of countries outside Europe: each is a short code, so that a word next to it must tell what it is."""

from agen_authz.core.masking.national import words
from agen_authz.core.masking.row import Detector, Form, Label, Preset

_PERSON = frozenset({Preset.PII, Preset.GDPR})

# Words for any passport, in English; `travel document` is ICAO's word.
_WORDS = "passport, passport number, passport no, passport#, passports, passport id, travel document, ppt no"
_FIELDS = "passport, passport number, passport no, passport id, travel document"
# What is between a country's word for its passport and the number.
_BETWEEN = r"(?:\s(?:is|no\.?|number|num|id))?[\s:#=.]{0,4}(?:is[\s:]{1,2})?"


def _passport(region: str, country: str, forms: tuple[Form, ...], *, own: str, aliases: str = "") -> Detector:
    """Make a row.

    Args:
        country: its adjective, for the title.
        own: words for this country's passport only; a number after one of them is its number for sure.
        aliases: other names, besides `XX_PASSPORT`.
    """
    written = "|".join(form.pattern.removeprefix("(?i)") for form in forms)
    return Detector(
        id=f"{region.lower()}_passport",
        title=f"{country} passport number",
        presets=_PERSON | {Preset.PHI} if region == "US" else _PERSON,
        forms=forms,
        labels=(Label(words(own), rf"(?i){_BETWEEN}({written})\b", 0.75),),
        context=words(f"{_WORDS}, {own}"),
        fields=words(f"{_FIELDS}, {own}"),
        field_pattern=r"\d{4}",
        regions=(region,),
        aliases=(f"{region}_PASSPORT", *(each for each in words(aliases) if each)),
    )


# Which detector is named if a number could be of several countries: the rarer the form, the higher its score.
ROWS: tuple[Detector, ...] = (
    _passport(
        "US",
        "US",
        (Form(r"[A-Z]\d{8}", (9, 9), 0.24), Form(r"\d{9}", (9, 9), 0.24)),
        own="us passport, u.s. passport, american passport, united states passport",
        aliases="usPassport",
    ),
    _passport(
        "CA",
        "Canadian",
        (Form(r"[A-Z]{2}[ -]?\d{6}", (8, 8), 0.26), Form(r"[A-Z]\d{6}[A-Z]{2}", (9, 9), 0.3)),
        own="canadian passport, canada passport, passeport canadien, passeport, numéro de passeport",
        aliases="canadaPassport, canada_passport",
    ),
    _passport(
        "MX",
        "Mexican",
        (Form(r"[GN]\d{8}", (9, 9), 0.26),),
        own="mexican passport, pasaporte mexicano, pasaporte, número de pasaporte",
    ),
    _passport(
        "BR",
        "Brazilian",
        (Form(r"[A-Z]{2}\d{6}", (8, 8), 0.2),),
        own="brazilian passport, passaporte brasileiro, passaporte, número do passaporte",
    ),
    _passport(
        "AR",
        "Argentine",
        (Form(r"[A-Z]{3}\d{6}", (9, 9), 0.26),),
        own="argentine passport, pasaporte argentino",
    ),
    _passport(
        "CN",
        "Chinese",
        (Form(r"[EGDSP]\d{8}", (9, 9), 0.26), Form(r"E[A-HJ-NP-Z]\d{7}|1[45]\d{7}", (9, 9), 0.26)),
        own="chinese passport, china passport, prc passport, 护照, 护照号, 护照号码",
        aliases="chinaPassportNumber",
    ),
    _passport(
        "TW",
        "Taiwanese",
        (Form(r"[12389]\d{8}", (9, 9), 0.15),),
        own="taiwan passport, taiwanese passport, 護照, 護照號碼",
    ),
    _passport(
        "JP",
        "Japanese",
        (Form(r"[A-Z]{2} ?\d{7}", (9, 9), 0.26),),
        own="japanese passport, japan passport, 旅券, 旅券番号, パスポート",
        aliases="japanPassportNumber, japan_passport_number",
    ),
    _passport(
        "KR",
        "South Korean",
        (
            Form(r"(?i)[MSRODGT]\d{3}[A-Z]\d{4}", (9, 9), 0.4),
            Form(r"(?i)[MSRODGT]\d{8}", (9, 9), 0.26),
            Form(r"(?i)[A-Z]{2}\d{7}", (9, 9), 0.15),
        ),
        own="korean passport, korea passport, 여권, 여권번호, 여권 번호",
        aliases="southKoreaPassportNumber, south_korea_passport_number",
    ),
    _passport(
        "IN",
        "Indian",
        (Form(r"[A-Z][1-9]\d ?\d{4}[1-9]", (8, 8), 0.26),),
        own="indian passport, india passport, पासपोर्ट",
    ),
    _passport(
        "PK",
        "Pakistani",
        (Form(r"[A-Z]{2}\d{7}", (9, 9), 0.2),),
        own="pakistani passport, pakistan passport",
    ),
    _passport(
        "PH",
        "Philippine",
        (Form(r"[A-Z]\d{7}[A-Z]", (9, 9), 0.26), Form(r"[A-Z]{2}\d{7}|[A-Z]{2}\d{6}", (8, 9), 0.24)),
        own="philippine passport, philippines passport, filipino passport, pasaporte number, dfa passport",
    ),
    _passport(
        "SG",
        "Singaporean",
        (Form(r"(?i)[EKXS]\d{7}[A-Z]", (9, 9), 0.3),),
        own="singapore passport, singaporean passport",
        aliases="singaporePassportNumber, singapore_passport_number",
    ),
    _passport(
        "TH",
        "Thai",
        (Form(r"[A-Z]{2}\d{7}|[A-Z]\d{6}", (7, 9), 0.18),),
        own="thai passport, thailand passport, หนังสือเดินทาง",
    ),
    _passport(
        "MY",
        "Malaysian",
        (Form(r"[AHK]\d{8}", (9, 9), 0.25),),
        own="malaysian passport, malaysia passport, nombor pasport, no pasport, pasport",
    ),
    _passport(
        "ID",
        "Indonesian",
        (Form(r"[A-EX]\d{7}", (8, 8), 0.25),),
        own="indonesian passport, indonesia passport, paspor, nomor paspor",
    ),
    _passport(
        "VN",
        "Vietnamese",
        (Form(r"[BCNPK]\d{7}", (8, 8), 0.24),),
        own="vietnamese passport, vietnam passport, hộ chiếu, số hộ chiếu, ho chieu",
    ),
    _passport(
        "IL",
        "Israeli",
        (Form(r"\d{7,8}|[A-Z]?\d{7}", (7, 8), 0.2),),
        own="israeli passport, israel passport, דרכון, מספר דרכון",
        aliases="ilPassportRe, il_passport_re",
    ),
    _passport(
        "AE",
        "Emirati",
        (Form(r"[A-Z]\d{7,8}|[A-Z]{2}\d{7}|[A-Z]?\d{9}", (8, 10), 0.18),),
        own="uae passport, emirati passport, emirates passport, جواز سفر, جواز السفر",
        aliases="uaePassport, uae_passport, UAE_PASSPORT",
    ),
    _passport(
        "AU",
        "Australian",
        (Form(r"(?i)[A-Z]\d{7}", (8, 8), 0.25), Form(r"(?i)[PR][A-FUWXZ]\d{7}", (9, 9), 0.3)),
        own="australian passport, australia passport",
        aliases="australiaPassportNumber, australia_passport_number",
    ),
    _passport(
        "NZ",
        "New Zealand",
        (Form(r"(?i)[A-Z]{2}\d{6}", (8, 8), 0.25),),
        own="new zealand passport, nz passport",
    ),
    _passport(
        "ZA",
        "South African",
        (Form(r"[ADMT]\d{8}", (9, 9), 0.27),),
        own="south african passport, rsa passport, south africa passport, dha, paspoort",
    ),
    _passport(
        "NG",
        "Nigerian",
        (Form(r"[AB]\d{8}", (9, 9), 0.25),),
        own="nigerian passport, nigeria passport",
    ),
)
