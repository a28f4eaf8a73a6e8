"""Numbers of Canada and Mexico: persons, companies, licences, health care. Passports: passport.py."""

from agen_authz.core.masking.national import (
    alnum_of,
    bare,
    is_quebec_health,
    is_saskatchewan_health,
    luhn,
    words,
)
from agen_authz.core.masking.row import Detector, Form, Preset, Style

_PERSON = frozenset({Preset.PII, Preset.GDPR})
_HEALTH = frozenset({Preset.PII, Preset.GDPR, Preset.PHI})
_BANK = frozenset({Preset.PII, Preset.GDPR, Preset.PHI, Preset.PCI})

_SIN = bare("ca.sin")
_RFC = bare("mx.rfc")


def _is_business(value: str) -> bool:
    """True if the nine digits before the account (RC, RP, RT ...) pass the Luhn check."""
    return luhn(alnum_of(value)[:9])


def _is_ontario_health(value: str) -> bool:
    """True if the ten digits before the version code pass the Luhn check."""
    return luhn(alnum_of(value)[:10])


_CANADA: tuple[Detector, ...] = (
    Detector(
        id="ca_sin",
        title="Canadian social insurance number",
        presets=_PERSON,
        forms=(
            Form(r"[1-79]\d{2}-\d{3}-\d{3}|[1-79]\d{2} \d{3} \d{3}", (9, 9), 0.55, _SIN),
            Form(r"[1-79]\d{8}", (9, 9), 0.35, _SIN),
        ),
        context=words(
            "sin, sin number, sin#, sin no, social insurance, social insurance number, canada, canadian, nas, "
            "numéro nas, numéro d'assurance sociale, assurance sociale, numero d'assurance sociale"
        ),
        fields=words("sin, social insurance, social insurance number, socialinsurancenumber, assurance sociale, =nas"),
        field_pattern=r"\d{3}",
        regions=("CA",),
        aliases=("canadaSocialInsuranceNumber", "canada_social_insurance_number", "CA_SIN"),
    ),
    Detector(
        id="ca_business_number",
        title="Canadian business number",
        presets=_PERSON,
        forms=(
            Form(r"(?i)\d{9}[ -]?R[CPTRZM][ -]?\d{4}", (15, 15), 0.8, _is_business),
            Form(r"\d{9}|\d{5} \d{4}", (9, 9), 0.25, luhn),
        ),
        context=words(
            "business number, cra business, bn, bn9, bn15, gst/hst, hst number, gst number, gst registration, "
            "numéro d'entreprise"
        ),
        fields=words("business number, =bn, gst number, hst number"),
        field_pattern=r"\d{9}",
        regions=("CA",),
        aliases=("CA_BN", "ca_bn"),
    ),
    Detector(
        id="ca_driver_license",
        title="Canadian driver's licence number, of any province",
        presets=_HEALTH,
        forms=(
            # Ontario and Quebec: a letter of the name, and the birth date in the last digits.
            Form(r"(?i)[A-Z]\d{4}[- ]\d{5}[- ]\d{5}|[A-Z]\d{4}-\d{6}-\d{2}", (13, 15), 0.5),
            Form(r"(?i)[A-Z]\d{14}|[A-Z]\d{12}|[A-Z]\d{9}|[A-Z]{5}\d{9}|[A-Z]\d{4} \d{6} \d{2}", (10, 15), 0.25),
            # Manitoba, Nova Scotia.
            Form(r"(?i)[A-Z]{2}-?[A-Z]{2}-?[A-Z]{2}-?[A-Z]\d{3}[A-Z]{2}|[A-Z]{4}\d{9}", (12, 13), 0.4),
            Form(r"\d{5,9}|\d{6}-\d{3}|\d{4}-\d{3}", (5, 9), 0.2),
        ),
        context=words(
            "driver's licence, drivers licence, driver licence, driver\u2019s licence, driving licence, "
            "licence number, licence no, driver's license, drivers license, driver license, driver\u2019s license, "
            "driving license, license number, dl, dl number, permis de conduire, numéro de permis, permis, mto, "
            "icbc, saaq"
        ),
        unlike=words("software licence, licence key, software license, license key, business licence"),
        fields=words(
            "driver licence, drivers licence, driver s licence, licence number, driving licence, permis de conduire, "
            "permis conduire, numero permis"
        ),
        field_pattern=r"\d{3}",
        regions=("CA",),
        aliases=("canadaDriversLicenseNumber", "canada_drivers_license_number", "CA_DRIVER_LICENSE"),
    ),
    Detector(
        id="ca_health_number",
        title="Canadian health card number, of any province",
        presets=_HEALTH,
        forms=(
            Form(r"(?i)[A-Z]{4}[ -]\d{4}[ -]\d{4}", (12, 12), 0.6, is_quebec_health),
            Form(r"(?i)[A-Z]{4}\d{8}", (12, 12), 0.5, is_quebec_health),
            Form(r"(?i)\d{4}[- ]\d{3}[- ]\d{3}[- ][A-Z]{2}", (12, 12), 0.6, _is_ontario_health),
            Form(r"(?i)\d{4}[- ]?\d{3}[- ]?\d{3}(?:[- ]?[A-Z]{1,2})?", (10, 12), 0.25),
            Form(r"9\d{3} ?\d{3} ?\d{3}", (10, 10), 0.35, bare("ca.bc_phn")),
            Form(r"\d{3} ?\d{3} ?\d{3}", (9, 9), 0.3, is_saskatchewan_health),
            Form(r"\d{3}[- ]?\d{3}[- ]?\d{3}|\d{5}-\d{4}|\d{8}|\d{12}", (8, 12), 0.2),
        ),
        context=words(
            "health card, health card number, health insurance, health insurance number, health service number, "
            "health services number, health number, hsn, hcn, ohip, ramq, msp, mcp, carte d'assurance maladie, "
            "assurance maladie, carte soleil, numéro d'assurance maladie, nam, medicare number, carte santé"
        ),
        fields=words(
            "health card, health card number, health service number, health services number, health number, =hsn, "
            "=hcn, ohip, ramq, assurance maladie, health insurance number"
        ),
        field_pattern=r"\d{3}",
        regions=("CA",),
        aliases=("canadaHealthServiceNumber", "canada_health_service_number", "CA_HEALTH_NUMBER", "CA_OHIP", "CA_RAMQ"),
    ),
    Detector(
        id="ca_phin",
        title="Canadian personal health number or PHIN (Manitoba, Alberta, British Columbia)",
        presets=_HEALTH,
        forms=(
            Form(r"9\d{3} ?\d{3} ?\d{3}", (10, 10), 0.35, bare("ca.bc_phn")),
            Form(r"\d{3}[- ]?\d{3}[- ]?\d{3}|\d{5}-\d{4}", (9, 9), 0.25),
        ),
        context=words(
            "phin, personal health, personal health number, personal health id, personal health identification, "
            "personal health identification number, phn, ulin, numéro d'identification personnelle, "
            "manitoba health, alberta health"
        ),
        fields=words("phin, phn, personal health number, personal health id, personal health identification number"),
        field_pattern=r"\d{3}",
        regions=("CA",),
        aliases=("canadaPersonalHealthIdNumberPhin", "canada_personal_health_id_number_phin", "CA_PHIN", "CA_PHN"),
    ),
    Detector(
        id="ca_bank_account",
        title="Canadian bank account number, with transit and institution",
        presets=_BANK,
        style=Style.LAST4,
        forms=(
            Form(r"\d{5}[- ]\d{3}[- ]\d{7,12}", (15, 20), 0.5),
            Form(r"0\d{8}[- ]?\d{7,12}", (16, 21), 0.25),
            Form(r"\d{7,12}|\d{5}[- ]\d{3}", (7, 12), 0.2),
        ),
        context=words(
            "transit number, institution number, transit no, branch transit, bank account, account number, account no, "
            "acct, chequing, chequing account, savings account, direct deposit, canadian bank, compte bancaire, "
            "numéro de compte, numéro de transit"
        ),
        fields=words("transit number, institution number, numero de compte, compte bancaire, chequing account"),
        field_pattern=r"\d{3}",
        regions=("CA",),
        aliases=("canadaBankAccountNumber", "canada_bank_account_number", "CA_BANK_ACCOUNT"),
    ),
)


def _is_rfc(value: str) -> bool:
    """True if the date in it is one, and the check digit is right."""
    number = alnum_of(value)
    # SAT's table: digits, letters with `&` and the tilde'd N in between; values of 12 have a blank in front.
    order = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ "
    total = sum(order.index(each) * (13 - at) for at, each in enumerate(number[:-1].rjust(12)))
    return "0123456789A"[-total % 11] == number[-1] and _RFC(number)


_MEXICO: tuple[Detector, ...] = (
    Detector(
        id="mx_curp",
        title="Mexican population registry code (CURP)",
        presets=_PERSON,
        forms=(Form(r"(?i)[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d", (18, 18), 0.85, bare("mx.curp")),),
        context=words("curp, clave única, clave unica, registro de población, registro de poblacion, mexico, méxico"),
        fields=words("curp, clave unica, clave unica registro poblacion"),
        field_pattern=r"[A-Za-z]{4}\d{6}",
        regions=("MX",),
        aliases=("mexicoUniquePopulationRegistryCodeCurp", "mexico_unique_population_registry_code_curp", "MX_CURP"),
    ),
    Detector(
        id="mx_rfc",
        title="Mexican tax number (RFC)",
        presets=_PERSON,
        forms=(
            Form(r"(?i)[A-Z]{4}[- ]?\d{6}[- ]?[A-Z0-9]{2}[0-9A]", (13, 13), 0.7, _is_rfc),
            Form(r"(?i)[A-Z]{3}[- ]?\d{6}[- ]?[A-Z0-9]{2}[0-9A]", (12, 12), 0.6, _is_rfc),
        ),
        context=words("rfc, registro federal, registro federal de contribuyentes, sat, contribuyente"),
        fields=words("rfc, registro federal de contribuyentes"),
        field_pattern=r"[A-Za-z&]{3}\d{6}",
        regions=("MX",),
        aliases=("MX_RFC",),
    ),
    Detector(
        id="mx_nss",
        title="Mexican social security number (NSS)",
        presets=_PERSON,
        forms=(Form(r"\d{11}|\d{2}[- ]\d{2}[- ]\d{2}[- ]\d{4}[- ]\d", (11, 11), 0.3, luhn),),
        context=words("nss, imss, número de seguridad social, numero de seguridad social, seguro social"),
        fields=words("nss, imss, numero de seguridad social, numero seguridad social"),
        field_pattern=r"\d{6}",
        regions=("MX",),
        aliases=("MX_NSS",),
    ),
    Detector(
        id="mx_voter",
        title="Mexican voter key (clave de elector)",
        presets=_PERSON,
        forms=(Form(r"(?i)[A-Z]{6}\d{8}[HM]\d{3}", (18, 18), 0.75),),
        context=words("clave de elector, ine, credencial para votar, elector"),
        fields=words("clave de elector, clave elector"),
        field_pattern=r"[A-Za-z]{6}\d{6}",
        regions=("MX",),
        aliases=("MX_VOTER",),
    ),
)

ROWS: tuple[Detector, ...] = _CANADA + _MEXICO
