"""Bank accounts: IBAN and BIC, the account numbers of single countries, and account numbers next to such a word.

Those of the United States are in america.py, of Canada in america_north.py.
"""

from agen_authz.core.masking.check import digits_of, stdnum
from agen_authz.core.masking.gap import GAP, before
from agen_authz.core.masking.national import alnum_of, bare, weigh, words
from agen_authz.core.masking.row import Detector, Form, Label, Preset, Style

_BIC = stdnum("bic")
_BANK = frozenset((Preset.PII, Preset.PHI, Preset.GDPR, Preset.PCI))

# Lengths of IBANs by country: the registry of ISO 13616, and the countries that use the form without being in it.
_IBAN_LENGTHS = {
    each[:2]: int(each[2:])
    for each in words(
        "AD24, AE23, AL28, AT20, AZ28, BA20, BE16, BG22, BH22, BI27, BR29, BY28, CH21, CR22, CY28, CZ24, DE22, DJ27, "
        "DK18, DO28, EE20, EG29, ES24, FI18, FK18, FO18, FR27, GB22, GE22, GI23, GL18, GR27, GT28, HN28, HR21, HU28, "
        "IE22, IL23, IQ23, IS26, IT27, JO30, KW30, KZ20, LB28, LC32, LI21, LT20, LU20, LV21, LY25, MC27, MD24, ME22, "
        "MK19, MN20, MR27, MT31, MU30, NI28, NL18, NO15, OM23, PK24, PL28, PS29, PT25, QA29, RO24, RS22, RU33, SA24, "
        "SC31, SD18, SE24, SI19, SK24, SM27, SO23, ST25, SV28, TL23, TN24, TR26, UA29, VA22, VG24, XK20, YE30, AO25, "
        "BF28, BJ28, CF27, CG27, CI28, CM27, CV25, DZ26, GA27, GQ27, GW25, IR26, KM27, MA28, MG27, ML28, MZ25, NE28, "
        "SN28, TD27, TG28"
    )
}

# Banks that CLABE numbers begin with (Banco de Mexico).
_CLABE_BANKS = frozenset(
    words(
        "001, 002, 006, 009, 012, 014, 019, 021, 030, 032, 036, 037, 042, 044, 058, 059, 060, 062, 072, 102, 103, "
        "106, 108, 110, 112, 113, 116, 124, 126, 127, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, "
        "140, 141, 143, 145, 147, 148, 149, 150, 151, 152, 154, 155, 156, 157, 158, 160, 166, 167, 168, 600, 601, "
        "602, 605, 606, 607, 608, 610, 614, 615, 616, 617, 618, 619, 620, 621, 622, 623, 626, 627, 628, 629, 630, "
        "631, 632, 633, 634, 636, 637, 638, 640, 642, 646, 647, 648, 649, 651, 652, 653, 655, 656, 659, 661, 670, "
        "677, 680, 683, 684, 685, 686, 689, 699, 703, 706, 710, 715, 721, 722, 723, 728, 729, 730, 732, 734, 738, "
        "741, 901, 902"
    )
)


def is_iban(value: str) -> bool:
    """True if the length is the country's and the check digits are right (ISO 13616, modulo 97)."""
    number = alnum_of(value)
    if _IBAN_LENGTHS.get(number[:2]) != len(number):
        return False
    return int("".join(str(int(each, 36)) for each in number[4:] + number[:4])) % 97 == 1


def is_clabe(value: str) -> bool:
    """True if the last digit of a CLABE is right: weights 3, 7, 1, each product modulo 10."""
    digits = digits_of(value)
    total = sum(int(each) * (3, 7, 1)[place % 3] % 10 for place, each in enumerate(digits[:17]))
    return -total % 10 == int(digits[17])


def _is_clabe_of_bank(value: str) -> bool:
    return digits_of(value)[:3] in _CLABE_BANKS and is_clabe(value)


def is_dutch_account(value: str) -> bool:
    """True if the digits pass the eleven test, weighted by their places from the right."""
    digits = digits_of(value)
    return int(digits) > 0 and weigh(digits, tuple(range(len(digits), 0, -1))) % 11 == 0


def _has_bic(value: str) -> bool:
    return _BIC(value) and any(each.isdigit() for each in value[4:])


IBAN = Detector(
    id="iban",
    title="international bank account numbers, with length and check digits",
    presets=_BANK,
    style=Style.LAST4,
    forms=(
        Form(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}", (15, 34), 0.9, is_iban),
        Form(r"(?i)[A-Z]{2}[ -]?\d{2}(?:[ .-]?[A-Z0-9]){11,30}", (15, 34), 0.85, is_iban),
    ),
    context=words("iban, international bank account, bank account, account, konto, kontonummer, compte, cuenta, conto"),
    fields=words("iban, ibans, iban code, iban number, international bank account number"),
    field_pattern=r"[A-Za-z]{2}[ -]?\d{2}|\d{8}",
    aliases=("ibanCode", "iban_code", "IBAN_CODE", "IBAN"),
)

_BIC_WORDS = words(
    "bic, swift, bic code, swift code, swift number, swift bic, bic swift, bic/swift, swift/bic, "
    "swift/bic code, bic/swift code, swift address, bank identifier code, bank code, code swift, "
    "codice bic, código swift, codigo swift, código bic, codigo bic, codice swift, code bic"
)

BIC = Detector(
    id="bic",
    title="codes of banks (BIC, SWIFT)",
    presets=_BANK,
    style=Style.REDACT,
    forms=(Form(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", (8, 11), 0.4, _has_bic),),
    labels=(
        Label(
            _BIC_WORDS,
            # What is between is in lower case, so that the first word in capitals is the value.
            r"[^A-Z0-9\n]{1,32}([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b",
            0.7,
            check=_BIC,
        ),
        before(_BIC_WORDS, r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", 0.7, check=_BIC),
    ),
    context=words("bic, swift, iban, bank identifier, wire, bank code"),
    fields=words("bic, bics, swift, swift code, bic code, swiftcode, swift bic, bank identifier code"),
    field_pattern=r"^\s*[A-Za-z]{6}[A-Za-z0-9]{2}",
    aliases=("swiftCode", "swift_code", "SWIFT_CODE", "BIC"),
)

_ACCOUNT_WORDS = words(
    "account number, bank account, bank account number, account no, acct no, acct number, acct, a/c no, "
    "a/c number, checking account, savings account, current account, deposit account, bank acct, "
    "account num, accountnumber, kontonummer, konto-nr, kontonr, bankkonto, bankverbindung, "
    "numéro de compte, numero de compte, compte bancaire, compte n°, número de cuenta, numero de cuenta, "
    "cuenta bancaria, cuenta corriente, numero di conto, conto corrente, conto bancario, número da conta, "
    "numero da conta, conta corrente, rekeningnummer, bankrekening, numer konta, numer rachunku"
)

BANK_ACCOUNT = Detector(
    id="bank_account",
    title="account numbers of any bank, next to a word that says so",
    presets=_BANK,
    style=Style.LAST4,
    labels=(
        Label(
            _ACCOUNT_WORDS,
            GAP + r"((?:[A-Z]{1,3}[ -]?)?\d(?:[ ./-]?\d){5,19}(?:-[0-9Xx])?)\b",
            0.6,
        ),
        before(_ACCOUNT_WORDS, r"\d(?:[ ./-]?\d){5,19}", 0.6),
        Label(
            words("account, konto, compte, cuenta, conto, conta, rekening, rachunek"),
            GAP + r"(\d(?:[ -]?\d){6,16})\b",
            0.25,
        ),
    ),
    context=words(
        "bank, banking, wire, direct deposit, deposit, checking, savings, sort code, routing, iban, transfer, payee, "
        "beneficiary, debit, bankleitzahl, blz, überweisung, virement, banque, banco, banca, transferencia, bonifico"
    ),
    unlike=words("aws, azure, gcp, github, login, tenant"),
    fields=words(
        "account number, account no, bank account, bank account number, acct number, acct no, acct num, account num, "
        "accountnumber, bankaccount, kontonummer, konto nr, konto, numero de compte, numero compte, numero de cuenta, "
        "numero cuenta, cuenta bancaria, numero di conto, numero conto, rekeningnummer, numer konta, numero da conta"
    ),
    field_pattern=r"(?:\d\W?){4}",
    aliases=("BANK_ACCOUNT", "BANK_ACCOUNT_NUMBER", "account_number"),
)

SORT_CODE = Detector(
    id="sort_code",
    title="sort codes of banks in the United Kingdom and Ireland",
    presets=_BANK,
    style=Style.LAST4,
    forms=(
        Form(r"\d{2}-\d{2}-\d{2}", (6, 6), 0.25),
        Form(r"\d{2} \d{2} \d{2}|\d{6}", (6, 6), 0.2),
    ),
    context=words("sort code, sort codes, sortcode, branch sort code, sort"),
    fields=words("sort code, sortcode, bank sort code"),
    field_pattern=r"(?:\d\D?){6}",
    regions=("GB", "IE"),
    aliases=("UK_SORT_CODE", "uk_sort_code"),
)

CLABE = Detector(
    id="clabe",
    title="Mexican bank accounts (CLABE)",
    presets=_BANK,
    style=Style.LAST4,
    forms=(
        Form(r"\d{18}|\d{3}[ -]\d{3}[ -]\d{11}[ -]\d", (18, 18), 0.6, _is_clabe_of_bank),
        Form(r"\d{18}|\d{3}[ -]\d{3}[ -]\d{11}[ -]\d|\d{4}(?:[ -]\d{4}){3}[ -]\d{2}", (18, 18), 0.4, is_clabe),
    ),
    context=words("clabe, clabes, clave bancaria, interbancaria, cuenta, spei, transferencia, bank account"),
    fields=words("clabe, clabe interbancaria, cuenta clabe"),
    field_pattern=r"(?:\d\D?){18}",
    regions=("MX",),
    aliases=("mx_clabe", "MX_CLABE"),
)

CBU = Detector(
    id="cbu",
    title="Argentine bank accounts (CBU, CVU)",
    presets=_BANK,
    style=Style.LAST4,
    forms=(Form(r"\d{22}|\d{8}[ -]\d{14}|\d{7}[ -]\d[ -]\d{13}[ -]\d", (22, 22), 0.85, bare("ar.cbu")),),
    context=words("cbu, cvu, clave bancaria uniforme, cuenta, transferencia, bank account"),
    fields=words("cbu, cvu, clave bancaria uniforme"),
    field_pattern=r"(?:\d\D?){22}",
    regions=("AR",),
    aliases=("ar_cbu", "AR_CBU"),
)

NL_BANK_ACCOUNT = Detector(
    id="nl_bank_account",
    title="Dutch bank accounts, from before IBAN and as IBAN",
    presets=_BANK,
    style=Style.LAST4,
    forms=(
        Form(r"(?i)NL ?\d{2}(?:[ .-]?[A-Z]){4}(?:[ .-]?\d){10}", (18, 18), 0.8, is_iban),
        Form(r"\d{2}\.\d{2}\.\d{2}\.\d{3}|\d{2} \d{2} \d{2} \d{3}|\d{4}\.\d{2}\.\d{3}", (9, 9), 0.5, is_dutch_account),
        Form(r"\d{9,10}", (9, 10), 0.3, is_dutch_account),
    ),
    context=words(
        "rekeningnummer, rekening, bankrekening, bankrekeningnummer, dutch bank, giro, girorekening, bank account"
    ),
    fields=words("rekeningnummer, bankrekening, bankrekeningnummer, rekening"),
    field_pattern=r"(?:\d\D?){7}",
    regions=("NL",),
    aliases=("dutchBankAccountNumber", "dutch_bank_account_number"),
)

JP_BANK_ACCOUNT = Detector(
    id="jp_bank_account",
    title="Japanese bank accounts: bank, branch and account number",
    presets=_BANK,
    style=Style.LAST4,
    forms=(
        Form(r"\d{4}[ -]\d{3}[ -]\d{7}", (14, 14), 0.4),
        Form(r"\d{3}[ -]\d{7}", (10, 10), 0.25),
        Form(r"1\d{4}[ -]\d{7,8}", (12, 13), 0.25),
    ),
    labels=(
        Label(
            words("口座番号, 普通, 当座, 普通預金, 当座預金, 普通口座, japanese bank account, koza, koza bango"),
            GAP + r"[\s:\uff1a]{0,3}(\d{7})\b",
            0.6,
        ),
    ),
    context=words(
        "口座番号, 口座, 普通, 当座, 普通預金, 支店, 銀行, ゆうちょ, 振込, "
        "japan bank, japanese bank, bank account, account number, furikomi, koza, branch code"
    ),
    fields=words("口座番号, koza bango, jp bank account"),
    field_pattern=r"(?:\d\D?){7}",
    regions=("JP",),
    aliases=("japanBankAccountNumber", "japan_bank_account_number"),
)

IL_BANK_ACCOUNT = Detector(
    id="il_bank_account",
    title="Israeli bank accounts: bank, branch and account number",
    presets=_BANK,
    style=Style.LAST4,
    forms=(
        Form(r"\d{2}[ /-]\d{3}[ /-]\d{6,9}", (11, 14), 0.4),
        Form(r"\d{2}[ /-]\d{3}[ /-]\d{3}[ /-]\d{3}|\d{2}[ /-]\d{3}[ /-]\d{5,6}[ /-]\d{2}", (11, 13), 0.4),
    ),
    labels=(
        Label(
            words("חשבון, חשבון בנק, מספר חשבון, חשבון מספר, israeli bank account, israel bank account"),
            GAP + r"(\d{6,9})\b",
            0.6,
        ),
    ),
    context=words(
        "חשבון, חשבון בנק, מספר חשבון, סניף, בנק, israel bank, israeli bank, bank account, account number, leumi, "
        "hapoalim, mizrahi, snif"
    ),
    fields=words("מספר חשבון, חשבון בנק, il bank account"),
    field_pattern=r"(?:\d\D?){6}",
    regions=("IL",),
    aliases=("ilBankNumber", "il_bank_number"),
)

ROWS = (
    IBAN, BIC, BANK_ACCOUNT, SORT_CODE, CLABE, CBU,
    NL_BANK_ACCOUNT, JP_BANK_ACCOUNT, IL_BANK_ACCOUNT,
)  # fmt: skip
