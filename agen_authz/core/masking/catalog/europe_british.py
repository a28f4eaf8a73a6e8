"""Identifiers of the United Kingdom and of Ireland."""

from agen_authz.core.masking.catalog.europe_part import DAY, MEDICAL, PERSONAL, is_uk_prefix, joined, of_digits
from agen_authz.core.masking.national import bare, words
from agen_authz.core.masking.row import Detector, Form, Label

_PREFIX = r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
_NINO = joined(("", " ", "-"), _PREFIX, r"\d{2}", r"\d{2}", r"\d{2}", "[A-D]") + "|" + _PREFIX + r" ?\d{6} ?[A-D]"
# Months of women are raised by 50; a surname of fewer than five letters is filled up with nines.
_LICENCE = r"[A-Z][A-Z9]{4} ?\d(?:0[1-9]|1[0-2]|5[1-9]|6[0-2])" + DAY + r"\d ?[A-Z][A-Z9][A-Z0-9][A-Z]{2}"

_LICENCE_WORDS = words(
    "driving licence, driving license, driver's licence, driver's license, driver licence, "
    "driver license, licence number, license number, dl number, dvla"
)

ROWS: tuple[Detector, ...] = (
    Detector(
        id="uk_nino",
        title="National Insurance number (United Kingdom)",
        presets=PERSONAL,
        forms=(
            Form(_NINO, (9, 9), 0.7, is_uk_prefix),
            Form("(?i)" + _NINO, (9, 9), 0.4, is_uk_prefix),
            Form(_PREFIX + r"(?:\d{6}| \d{2} \d{2} \d{2})", (8, 8), 0.2, is_uk_prefix),
        ),
        context=("national insurance", "ni number", "ni no", "nino", "insurance number", "hmrc"),
        fields=("nino", "ni number", "ni no", "national insurance", "nationalinsurance", "nationalinsurancenumber"),
        field_pattern=r"\d",
        regions=("GB",),
        aliases=("ukNationalInsuranceNumberNino", "uk_national_insurance_number_nino", "UK_NINO"),
    ),
    Detector(
        id="uk_nhs",
        title="NHS number (United Kingdom)",
        presets=MEDICAL,
        forms=(
            Form(r"\d{3} \d{3} \d{4}", (10, 10), 0.55, bare("gb.nhs")),
            Form(r"\d{3}-\d{3}-\d{4}", (10, 10), 0.5, bare("gb.nhs")),
            Form(r"\d{10}", (10, 10), 0.4, bare("gb.nhs")),
        ),
        context=(
            "nhs",
            "nhs number",
            "nhs no",
            "national health service",
            "health service",
            "health authority",
            "patient",
        ),
        unlike=("phone", "telephone", "tel", "mobile", "fax", "call"),
        fields=("nhs", "nhs number", "nhsnumber", "nhs no"),
        field_pattern=r"\d",
        regions=("GB",),
        aliases=("ukNhs", "UK_NHS"),
    ),
    Detector(
        id="uk_utr",
        title="Unique Taxpayer Reference (United Kingdom)",
        presets=PERSONAL,
        forms=(
            Form(r"\d{10}[Kk]", (11, 11), 0.55, of_digits("gb.utr")),
            Form(r"\d{5} \d{5}|\d{3} \d{3} \d{4}|\d{2} \d{4} \d{4}", (10, 10), 0.4, bare("gb.utr")),
            Form(r"\d{10}", (10, 10), 0.4, bare("gb.utr")),
        ),
        context=("utr", "unique taxpayer", "taxpayer reference", "tax reference", "self assessment", "hmrc"),
        fields=("utr", "unique taxpayer reference", "taxpayer reference", "taxpayerreference", "utrnumber"),
        field_pattern=r"\d",
        regions=("GB",),
        aliases=("ukUniqueTaxpayerReferenceNumber", "uk_unique_taxpayer_reference_number", "UK_UTR"),
    ),
    Detector(
        id="uk_passport",
        title="passport number (United Kingdom)",
        presets=PERSONAL,
        forms=(Form(r"[A-Z]{2}\d{7}", (9, 9), 0.2), Form(r"\d{9}", (9, 9), 0.17)),
        context=("passport", "travel document", "uk passport", "british passport", "hm passport", "hmpo"),
        fields=("uk passport", "british passport", "ukpassport", "ukpassportnumber"),
        field_pattern=r"\d",
        regions=("GB",),
        aliases=("UK_PASSPORT",),
    ),
    Detector(
        id="uk_driving_licence",
        title="driving licence number (United Kingdom)",
        presets=MEDICAL,
        forms=(
            Form(_LICENCE + r"(?:\d{2})?", (16, 18), 0.75),
            Form("(?i)" + _LICENCE + r"(?:\d{2})?", (16, 18), 0.45),
        ),
        # In three groups the first is a word of five letters, which no form begins with.
        labels=(
            Label(
                words=_LICENCE_WORDS,
                pattern=r"(?i)[\s:#=]{0,4}(?:no\.?|number|num|is)?[\s:#=]{0,4}(" + _LICENCE + r"(?: ?\d{2})?)\b",
                score=0.8,
            ),
        ),
        context=_LICENCE_WORDS,
        fields=("driving licence", "drivinglicence", "drivinglicencenumber", "uk driver license", "dvla number"),
        field_pattern=r"\d",
        regions=("GB",),
        aliases=("ukDriverLicenseNumber", "uk_driver_license_number", "UK_DRIVING_LICENCE"),
    ),
    Detector(
        id="uk_electoral_roll",
        title="electoral roll number (United Kingdom)",
        presets=PERSONAL,
        forms=(Form(r"[A-Z]{1,4}[- ]?\d{1,5}(?:[/-]\d)?", (5, 9), 0.17),),
        # Most have fewer letters and digits than a form must have.
        labels=(
            Label(
                words=(
                    "electoral roll",
                    "electoral number",
                    "electoral register",
                    "elector number",
                    "electoral id",
                    "poll number",
                    "polling number",
                    "voter number",
                ),
                pattern=r"[\s:#=]{0,4}(?:no\.?|num(?:ber)?|id|ref)?[\s:#=]{0,4}(?:is|was)?[\s:#=]{0,4}"
                r"([A-Za-z]{1,4}[- ]?\d{1,5}(?:[/-]\d{1,2})?)\b",
                score=0.6,
            ),
        ),
        context=("electoral roll", "electoral register", "electoral number", "elector number", "poll number", "voter"),
        fields=(
            "electoral roll",
            "electoral number",
            "elector number",
            "electoralroll",
            "electoralrollnumber",
            "poll number",
        ),
        field_pattern=r"\d",
        regions=("GB",),
        aliases=("ukElectoralRollNumber", "uk_electoral_roll_number", "UK_ELECTORAL_ROLL"),
    ),
    Detector(
        id="uk_vat",
        title="VAT number (United Kingdom)",
        presets=PERSONAL,
        forms=(
            Form(r"(?:GB|XI)[ -]?\d{3} ?\d{4} ?\d{2}(?: ?\d{3})?", (11, 14), 0.7, bare("gb.vat")),
            Form(r"\d{3} \d{4} \d{2}", (9, 9), 0.5, bare("gb.vat")),
            Form(r"\d{9}", (9, 9), 0.3, bare("gb.vat")),
        ),
        context=("vat", "vat number", "vat no", "vat reg", "vat registration", "value added tax"),
        fields=("uk vat", "gb vat", "vat registration number"),
        field_pattern=r"\d",
        regions=("GB",),
        aliases=("UK_VAT",),
    ),
    Detector(
        id="uk_vehicle_registration",
        title="number plate (United Kingdom)",
        presets=MEDICAL,
        forms=(
            Form(r"[A-HJ-PR-Y]{2}(?:0[1-9]|[1-7]\d)[ -]?[A-HJ-PR-Z]{3}", (7, 7), 0.4),
            Form(r"[A-HJ-NPR-TV-Y]\d{1,3}[ -]?[A-HJ-PR-Y][A-HJ-PR-Z]{2}", (5, 7), 0.2),
            Form(r"[A-HJ-PR-Z]{3}[ -]?\d{1,3}[ -]?[A-HJ-NPR-TV-Y]", (5, 7), 0.2),
        ),
        context=(
            "vehicle",
            "vehicle registration",
            "registration",
            "registration number",
            "reg",
            "number plate",
            "licence plate",
            "license plate",
            "plate",
            "vrn",
            "vrm",
            "dvla",
            "v5c",
            "logbook",
            "mot",
            "car",
        ),
        fields=(
            "vehicle registration",
            "vehiclereg",
            "vehicle reg",
            "vehicleregistration",
            "number plate",
            "=vrn",
            "=vrm",
        ),
        field_pattern=r"\d",
        regions=("GB",),
        aliases=("UK_VEHICLE_REGISTRATION",),
    ),
    Detector(
        id="ie_pps",
        title="PPS number (Ireland)",
        presets=PERSONAL,
        forms=(
            Form(r"\d{7}[ -]?[A-W][A-IW]?", (8, 9), 0.6, bare("ie.pps")),
            Form(r"(?i)\d{7}[ -]?[A-W][A-IW]?", (8, 9), 0.35, bare("ie.pps")),
        ),
        context=("pps", "ppsn", "pps number", "pps no", "personal public service", "uimhir pps"),
        fields=("pps", "ppsn", "pps number", "pps no", "ppsnumber", "personal public service number"),
        field_pattern=r"\d",
        regions=("IE",),
        aliases=("IE_PPS", "IE_PPSN"),
    ),
)
