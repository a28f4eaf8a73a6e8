"""Numbers of South Africa, Nigeria, Kenya and Ghana: persons, companies, vehicles. Passports are in passport.py."""

from agen_authz.core.masking.national import bare, is_south_african_id, luhn, words
from agen_authz.core.masking.row import Detector, Form, Preset

_PERSON = frozenset({Preset.PII, Preset.GDPR})
_HEALTH = frozenset({Preset.PII, Preset.GDPR, Preset.PHI})

_PROVINCE = r"(?:GP|ZN|WP|EC|NC|FS|LP|MP|NW)"


def _is_no_id(value: str) -> bool:
    """True if it is not an identity number: a holder of one needs no number of the traffic register."""
    return not is_south_african_id(value)


_SOUTH_AFRICA: tuple[Detector, ...] = (
    Detector(
        id="za_id",
        title="South African identity number",
        presets=_PERSON,
        forms=(
            Form(r"\d{10}[0-2][89]\d|\d{6} \d{4} [0-2][89] ?\d", (13, 13), 0.65, is_south_african_id),
            # The last digit but one was the race in identity books until 1986.
            Form(r"\d{10}[01][0-7]\d", (13, 13), 0.35, is_south_african_id),
        ),
        context=words(
            "south african id, sa id, rsa id, za id, smart id, identity number, id number, id no, national id, "
            "identity document, identiteitsnommer, isazisi"
        ),
        fields=words("id number, identity number, south african id, sa id, rsa id, national id, identiteitsnommer"),
        field_pattern=r"\d{6}",
        regions=("ZA",),
        aliases=("ZA_ID_NUMBER", "ZA_ID", "za_id_number"),
    ),
    Detector(
        id="za_income_tax",
        title="South African income tax number",
        presets=_PERSON,
        forms=(
            Form(r"[01239]\d{3}[/ ]\d{3}[/ ]\d{2}[/ ]\d", (10, 10), 0.5, bare("za.tin")),
            Form(r"[01239]\d{9}", (10, 10), 0.25, bare("za.tin")),
        ),
        context=words(
            "sars, tax reference, tax reference number, income tax, income tax number, tax number, itr, taxpayer, "
            "tax registration, inkomstebelasting"
        ),
        fields=words("tax reference, tax reference number, income tax number, sars, sars number"),
        field_pattern=r"\d{4}",
        regions=("ZA",),
        aliases=("ZA_INCOME_TAX_NUMBER", "za_income_tax_number"),
    ),
    Detector(
        id="za_vat",
        title="South African VAT number",
        presets=_PERSON,
        # The revenue service's modulus 10 test is the same for all of its reference numbers.
        forms=(Form(r"4\d{9}", (10, 10), 0.25, luhn),),
        context=words("vat, vat number, vat no, vat registration, tax invoice, sars, value added tax, btw"),
        fields=words("vat number, vat no, vat registration, =vat"),
        field_pattern=r"\d{9}",
        regions=("ZA",),
        aliases=("ZA_VAT_NUMBER", "za_vat_number"),
    ),
    Detector(
        id="za_company",
        title="South African company registration",
        presets=_PERSON,
        forms=(
            Form(r"(?:19|20)\d{2}/\d{6}/(?:0[67-9]|1[0-2]|2[1-6]|3[01])", (12, 12), 0.65),
            Form(r"(?:18|19|20)\d{2}/\d{6}/\d{2}", (12, 12), 0.5),
            Form(r"(?:CK|NR|K|T|W|B|M|N)(?:19|20)\d{2}/\d{6}", (11, 12), 0.55),
        ),
        context=words(
            "cipc, company registration, company reg, registration number, close corporation, enterprise number, "
            "reg no, pty"
        ),
        fields=words("company registration, company registration number, registration number, enterprise number"),
        field_pattern=r"\d{4}/\d{6}",
        regions=("ZA",),
        aliases=("ZA_COMPANY_REGISTRATION", "za_company_registration"),
    ),
    Detector(
        id="za_driver_license",
        title="South African driving licence",
        presets=_HEALTH,
        forms=(Form(r"(?i)\d{6,10}[A-Z0-9]{1,4}[A-Z]|\d{6,10}[A-Z][A-Z0-9]{1,4}", (10, 14), 0.25),),
        context=words(
            "driving licence, driver's licence, drivers licence, driver licence, licence number, licence no, "
            "driving license, driver's license, drivers license, driver license, license number, licence, "
            "enatis, natis, rybewys"
        ),
        fields=words("driving licence, drivers licence, driver licence, licence number, drivers license"),
        field_pattern=r"\d{6}",
        regions=("ZA",),
        aliases=("ZA_DRIVER_LICENSE",),
    ),
    Detector(
        id="za_license_plate",
        title="South African number plate",
        presets=_HEALTH,
        forms=(
            Form(rf"[A-Z]{{2}} ?\d{{2}} ?[A-Z]{{2}} ?{_PROVINCE}", (8, 8), 0.55),
            Form(rf"[A-Z]{{3}} ?\d{{3}} ?{_PROVINCE}", (8, 8), 0.5),
            Form(rf"[A-Z]{{2,4}} ?\d{{2,4}}(?: ?[A-Z]{{1,4}})? ?{_PROVINCE}", (6, 14), 0.35),
            Form(r"\d{2,3} ?[A-Z]{2,3} ?EC", (6, 8), 0.35),
            # The Western Cape and KwaZulu-Natal name the town first: CA 123-456, ND 123-456.
            Form(r"(?:C[A-Z]{1,2}|N[A-Z]{1,2}) ?\d{3}[- ]?\d{3}|C[A-Z]{1,2} ?\d{4,5}", (6, 9), 0.2),
        ),
        context=words(
            "licence plate, license plate, number plate, plate, plate number, vehicle registration, registration, "
            "registration number, natis, enatis, nommerplaat"
        ),
        fields=words("licence plate, license plate, number plate, plate number, vehicle registration"),
        field_pattern=r"\d{2}",
        regions=("ZA",),
        aliases=("ZA_LICENSE_PLATE",),
    ),
    Detector(
        id="za_traffic_register",
        title="South African traffic register number",
        presets=_HEALTH,
        forms=(Form(r"\d{13}", (13, 13), 0.2, _is_no_id),),
        context=words("traffic register, traffic register number, trn, enatis, natis, vehicle register"),
        fields=words("traffic register, traffic register number, =trn"),
        field_pattern=r"\d{6}",
        regions=("ZA",),
        aliases=("ZA_TRAFFIC_REGISTER_NUMBER", "za_traffic_register_number"),
    ),
)

_WEST_AND_EAST: tuple[Detector, ...] = (
    Detector(
        id="ng_nin",
        title="Nigerian identity number (NIN)",
        presets=_PERSON,
        forms=(
            Form(r"\d{4}[ -]\d{3}[ -]\d{4}", (11, 11), 0.45, bare("verhoeff")),
            Form(r"\d{11}", (11, 11), 0.35, bare("verhoeff")),
        ),
        context=words(
            "nin, nin number, national identification number, national identity number, nimc, national identity, "
            "nigeria id, nigerian id, nigerian identification, nigeria"
        ),
        fields=words("=nin, nin number, national identification number, national identity number, nimc"),
        field_pattern=r"\d{4}",
        regions=("NG",),
        aliases=("NG_NIN",),
    ),
    Detector(
        id="ng_bvn",
        title="Nigerian bank verification number (BVN)",
        presets=_PERSON,
        forms=(Form(r"22\d{9}", (11, 11), 0.3), Form(r"\d{11}", (11, 11), 0.2)),
        context=words("bvn, bvn number, bank verification number, bank verification"),
        fields=words("bvn, bank verification number"),
        field_pattern=r"\d{6}",
        regions=("NG",),
        aliases=("NG_BVN",),
    ),
    Detector(
        id="ng_vehicle_registration",
        title="Nigerian number plate",
        presets=_HEALTH,
        forms=(
            Form(r"[A-Z]{3}[- ]\d{3}[- ]?[A-Z]{2}", (8, 8), 0.55),
            Form(r"[A-Z]{3}\d{3}[A-Z]{2}", (8, 8), 0.5),
        ),
        context=words("plate number, vehicle registration, license plate, number plate, plate, vehicle, registration"),
        fields=words("plate number, license plate, number plate, vehicle registration"),
        field_pattern=r"\d{3}",
        regions=("NG",),
        aliases=("NG_VEHICLE_REGISTRATION",),
    ),
    Detector(
        id="ke_pin",
        title="Kenyan tax number (KRA PIN)",
        presets=_PERSON,
        forms=(Form(r"(?i)[AP]\d{9}[A-Z]", (11, 11), 0.6),),
        context=words("kra, kra pin, pin number, tax pin, kenya"),
        fields=words("kra pin, kra, tax pin"),
        field_pattern=r"\d{9}",
        regions=("KE",),
        aliases=("KE_PIN",),
    ),
    Detector(
        id="ke_national_id",
        title="Kenyan identity card",
        presets=_PERSON,
        forms=(Form(r"\d{7,8}", (7, 8), 0.2),),
        context=words("kenyan id, kenya id, kenyan national id, kenya national id, kitambulisho, huduma, maisha namba"),
        fields=words("kenya id, kenyan id, kitambulisho, maisha namba"),
        field_pattern=r"\d{7}",
        regions=("KE",),
        aliases=("KE_NATIONAL_ID",),
    ),
    Detector(
        id="gh_card",
        title="Ghana card",
        presets=_PERSON,
        forms=(Form(r"(?i)GHA-?\d{9}-?\d", (13, 13), 0.85),),
        context=words("ghana card, ghana, nia"),
        fields=words("ghana card, ghana card number"),
        field_pattern=r"\d{6}",
        regions=("GH",),
        aliases=("GH_CARD",),
    ),
    Detector(
        id="gh_tin",
        title="Ghanaian tax number",
        presets=_PERSON,
        forms=(Form(r"[PCGQV]00\d{7}[0-9X]", (11, 11), 0.75, bare("gh.tin")),),
        context=words("tin, tin number, gra, ghana"),
        fields=words("ghana tin, gra tin"),
        field_pattern=r"\d{6}",
        regions=("GH",),
        aliases=("GH_TIN",),
    ),
)

ROWS: tuple[Detector, ...] = _SOUTH_AFRICA + _WEST_AND_EAST
