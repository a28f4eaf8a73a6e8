"""Numbers of the United States: persons, employers, licences, bank accounts. Passports are in passport.py."""

from agen_authz.core.masking.check import digits_of, stdnum
from agen_authz.core.masking.national import bare, words
from agen_authz.core.masking.row import Detector, Form, Label, Preset, Style

_PERSON = frozenset({Preset.PII, Preset.PHI, Preset.GDPR})
_BANK = frozenset({Preset.PII, Preset.PHI, Preset.GDPR, Preset.PCI})
_COMPANY = frozenset({Preset.PII, Preset.GDPR})

_SSN = stdnum("us.ssn")


def _is_ssn(value: str) -> bool:
    """True if area, group and serial were given out (SSA: no area 000, 666, 9xx; no zeros), and it is not a dummy."""
    digits = digits_of(value)
    return _SSN(digits) and digits != "123456789"


def _is_dashed_ssn(value: str) -> bool:
    """True if it may be one; 123-45-6789 passes, for one who writes it so shows it as one."""
    return _SSN(digits_of(value))


# Formats of the states, as AAMVA's members publish them: letters, digits, and the groups that some print. Those of
# digits alone tell nothing without a word next to them.
_LICENCE_LETTERS = "|".join(
    [
        r"[A-Z]\d{6,9}",  # AZ CA HI IN KS KY MA MT NE NY OH OK OR VA VT WV and more
        r"[A-Z]\d{11,14}",  # FL IL MD MI MN NJ WI
        r"[A-Z]\d{18}",  # NY
        r"[A-Z]\d{3,5}|[A-Z]{2}\d{2,7}",  # CO MO OH OR WV
        r"[A-Z]{2}\d{6}[A-Z]|[A-Z]\d{6}R",  # ID MO
        r"[A-Z]{3}\d{6}|[A-Z]{3}\d{8}",  # ND, NH
        r"\d{2}[A-Z]{3}\d{5}",  # NH
        r"\d{3}[A-Z]{2}\d{4}|\d{3}[A-Z]\d{6}",  # IA, MO
        r"\d{7,9}[A-Z]|\d{8}[A-Z]{2}",  # ME MO VT
        r"[A-Z]\d[A-Z]\d[A-Z]",  # KS
        r"WDL[A-Z0-9]{9}|[A-Z]{2,5}\d{3}[A-Z0-9]{2,7}",  # WA
    ]
)
_LICENCE_GROUPS = "|".join(
    [
        r"[A-Z]\d{3}[- ]\d{3}[- ]\d{2}[- ]\d{3}[- ]\d",  # FL
        r"[A-Z]\d{3}[- ]\d{4}[- ]\d{4}(?:[- ]\d{2})?",  # IL WI
        r"[A-Z][- ]\d{3}[- ]\d{3}[- ]\d{3}[- ]\d{3}",  # MD MI MN
        r"[A-Z]\d{4}[- ]\d{5}[- ]\d{5}",  # NJ
        r"[A-Z]\d{2}[- ]\d{2}[- ]\d{4}|[A-Z]\d{2}[- ]\d{3}[- ]\d{3}",  # KS, KY
        r"[A-Z]\d{2}[- ]\d{2}[- ]\d{5}|[A-Z]{3}[- ]\d{2}[- ]\d{4}",  # VA, ND
    ]
)

_ROUTING = Detector(
    id="us_routing",
    title="US bank routing number (ABA)",
    presets=_BANK,
    forms=(
        Form(r"[0-3678]\d{3}-\d{4}-\d", (9, 9), 0.55, bare("us.rtn")),
        Form(r"[0-3678]\d{8}", (9, 9), 0.35, bare("us.rtn")),
    ),
    context=words(
        "aba, aba number, routing, routing number, rtn, transit number, abarouting, bankrouting, ach, "
        "fedwire, wire transfer"
    ),
    fields=words("aba, routing, routing number, routing no, rtn, aba number, routing transit number"),
    field_pattern=r"\d{9}|\d{4}-\d{4}-\d",
    regions=("US",),
    aliases=("abaRoutingNumber", "aba_routing_number", "ABA_ROUTING_NUMBER", "US_ROUTING", "us_aba"),
)

ROWS: tuple[Detector, ...] = (
    Detector(
        id="us_ssn",
        title="US social security number",
        presets=_PERSON,
        style=Style.LAST4,
        forms=(
            Form(r"\d{3}-\d{2}-\d{4}", (9, 9), 0.65, _is_dashed_ssn),
            Form(r"\d{3} \d{2} \d{4}|\d{3}\.\d{2}\.\d{4}", (9, 9), 0.5, _is_ssn),
            Form(r"\d{9}|\d{5}-\d{4}|\d{3}-\d{6}", (9, 9), 0.2, _is_ssn),
        ),
        labels=(
            # The last four digits alone are still a part that many systems ask for.
            Label(
                ("ssn", "social security number", "social security"),
                r"[\s:#(-]{0,3}(?:last\s(?:4|four)|ending(?:\s(?:in|with))?)(?:\sdigits?)?(?:\sof)?[\s:#)*=]{0,4}"
                r"(?:is|are)?[\s:]{0,2}(\d{4})\b",
                0.7,
            ),
            Label(("last four of ssn", "last 4 of ssn", "last 4 ssn"), r"[\s:#=]{0,3}(?:is\s|are\s)?(\d{4})\b", 0.7),
        ),
        context=words(
            "ssn, ssns, ssn#, social security, social security number, ss number, ssid, soc sec, "
            "numero de seguro social, número de seguro social"
        ),
        fields=words(
            "ssn, ssns, social security, social security number, social security no, socialsecuritynumber, "
            "socialsecurity, ssn last4, ss number, ssnumber"
        ),
        field_pattern=r"\d{4}",
        regions=("US",),
        aliases=("usSsn", "US_SSN", "ssn"),
    ),
    Detector(
        id="us_itin",
        title="US individual taxpayer identification number",
        presets=_PERSON,
        style=Style.LAST4,
        forms=(
            Form(r"9\d{2}[- ](?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])[- ]\d{4}", (9, 9), 0.6),
            Form(r"9\d{2}-?(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])-?\d{4}", (9, 9), 0.25),
        ),
        context=words(
            "itin, individual taxpayer, taxpayer identification, taxpayer id, tax id, taxid, tin, taxpayer, tax payer"
        ),
        fields=words("itin, individual taxpayer identification number, individual taxpayer id"),
        field_pattern=r"\d{4}",
        regions=("US",),
        aliases=("usItin", "US_ITIN"),
    ),
    Detector(
        id="us_ein",
        title="US employer identification number",
        presets=_COMPANY,
        forms=(
            Form(r"\d{2}-\d{7}", (9, 9), 0.45, bare("us.ein")),
            Form(r"\d{9}", (9, 9), 0.2, bare("us.ein")),
        ),
        context=words(
            "ein, fein, employer id, employer identification, employer identification number, "
            "federal tax id, federal id, tax id, tax identification, provider tax id, provider tin"
        ),
        fields=words("ein, fein, employer id, employer identification number, federal tax id, provider tax id"),
        field_pattern=r"\d{2}-?\d{7}",
        regions=("US",),
        aliases=("US_EIN", "employer_id", "US_PROVIDER_TAX_ID", "us_provider_tax_id"),
    ),
    Detector(
        id="us_driver_license",
        title="US driver's license number, of any state",
        presets=_PERSON,
        forms=(
            Form(rf"(?i)(?:{_LICENCE_GROUPS})", (8, 15), 0.35),
            Form(rf"(?i)(?:{_LICENCE_LETTERS})", (5, 19), 0.25),
            Form(r"\d{6,10}|\d{12}|\d{13,14}|\d{16}", (6, 16), 0.2),
            Form(r"\d{3} \d{3} \d{3}|\d{2} \d{3} \d{3}|\d{2}-\d{3}-\d{4}", (8, 9), 0.2),
        ),
        context=words(
            "driver license, drivers license, driver's license, driver\u2019s license, driving license, "
            "driver licence, license number, license no, dl, dl number, dln, cdl, cdls, dls, dmv, driver, drivers, "
            "learner permit, licencia de conducir, lic no, lic#"
        ),
        unlike=words("software license, license key, medical license, driver version, business license"),
        fields=words(
            "driver license, drivers license, driver licence, drivers licence, driver s license, "
            "driving license, driver license number, license number, dl number, =dl, =dln, driverslicense"
        ),
        field_pattern=r"\d{3}",
        regions=("US",),
        aliases=("usDriverLicense", "US_DRIVER_LICENSE", "driver_license", "DRIVER_LICENSE"),
    ),
    _ROUTING,
    Detector(
        id="us_bank_account",
        title="US bank account number",
        presets=_BANK,
        style=Style.LAST4,
        forms=(
            Form(r"\d{8,17}", (8, 17), 0.2),
            Form(r"\d{4,6}[- ]\d{4,6}(?:[- ]\d{1,6})?", (8, 17), 0.15),
        ),
        context=words(
            "bank account, account number, account no, account #, acct, acct no, acct number, "
            "checking account, savings account, checking, savings, direct deposit, bank, debit, "
            "deposit, to account, from account, into account, a/c"
        ),
        unlike=words("aws, azure, gcp, subscription, github, tenant, account id, accountid, google ads"),
        fields=words(
            "bank account, bank account number, account number, acct number, account no, acct no, "
            "checking account, savings account"
        ),
        field_pattern=r"\d{4}",
        regions=("US",),
        aliases=("usBankNumber", "US_BANK_NUMBER", "us_bank_number"),
    ),
)
