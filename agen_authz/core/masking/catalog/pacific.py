"""Numbers of Australia and New Zealand: persons, companies, health care, accounts. Passports are in passport.py."""

from agen_authz.core.masking.national import bare, is_australian_medicare, is_new_zealand_health, words
from agen_authz.core.masking.row import Detector, Form, Preset, Style

_PERSON = frozenset({Preset.PII, Preset.GDPR})
_HEALTH = frozenset({Preset.PII, Preset.GDPR, Preset.PHI})
_BANK = frozenset({Preset.PII, Preset.GDPR, Preset.PHI, Preset.PCI})

_AUSTRALIA: tuple[Detector, ...] = (
    Detector(
        id="au_abn",
        title="Australian business number (ABN)",
        presets=_PERSON,
        forms=(
            Form(r"\d{2} \d{3} \d{3} \d{3}|\d{2}-\d{3}-\d{3}-\d{3}", (11, 11), 0.85, bare("au.abn")),
            Form(r"[1-9]\d{10}", (11, 11), 0.55, bare("au.abn")),
        ),
        context=words("abn, abn number, australian business number, australian business"),
        fields=words("abn, australian business number"),
        field_pattern=r"\d{2}",
        regions=("AU",),
        aliases=("auAbn", "AU_ABN"),
    ),
    Detector(
        id="au_acn",
        title="Australian company number (ACN)",
        presets=_PERSON,
        forms=(
            Form(r"0\d{2} \d{3} \d{3}", (9, 9), 0.5, bare("au.acn")),
            Form(r"\d{3} \d{3} \d{3}|\d{3}-\d{3}-\d{3}", (9, 9), 0.4, bare("au.acn")),
            Form(r"\d{9}", (9, 9), 0.3, bare("au.acn")),
        ),
        context=words("acn, acn number, australian company number, australian company"),
        fields=words("acn, australian company number"),
        field_pattern=r"\d{3}",
        regions=("AU",),
        aliases=("auAcn", "AU_ACN"),
    ),
    Detector(
        id="au_tfn",
        title="Australian tax file number (TFN)",
        presets=_PERSON,
        forms=(
            Form(r"\d{3} \d{3} \d{3}|\d{3}-\d{3}-\d{3}", (9, 9), 0.5, bare("au.tfn")),
            Form(r"\d{8,9}|\d{2} \d{3} \d{3}", (8, 9), 0.3, bare("au.tfn")),
        ),
        context=words("tfn, tfn number, tax file number, tax file"),
        fields=words("tfn, tax file number"),
        field_pattern=r"\d{3}",
        regions=("AU",),
        aliases=("auTfn", "AU_TFN"),
    ),
    Detector(
        id="au_medicare",
        title="Australian Medicare card",
        presets=_HEALTH,
        forms=(
            Form(
                r"[2-6]\d{3}[ -]\d{5}[ -]\d(?:[-/ ]?\d)?",
                (10, 11),
                0.6,
                is_australian_medicare,
            ),
            Form(r"[2-6]\d{9}(?:[-/ ]?\d)?", (10, 11), 0.35, is_australian_medicare),
        ),
        context=words("medicare, medicare number, medicare card, medicare no, irn"),
        fields=words("medicare, medicare number, medicare card, medicare no"),
        field_pattern=r"\d{4}",
        regions=("AU",),
        aliases=("auMedicare", "AU_MEDICARE"),
    ),
    Detector(
        id="au_driver_license",
        title="Australian driver's licence, of any state",
        presets=_HEALTH,
        forms=(
            Form(r"\d{6,10}|\d{3} \d{3} \d{3}", (6, 10), 0.2),
            # South Australia and Tasmania; New South Wales and others have letters anywhere.
            Form(r"(?i)[A-Z]{1,2}\d{5,6}|\d{4}[A-Z]{2}|[A-Z]\d{6}[A-Z]?", (6, 8), 0.25),
        ),
        context=words(
            "driver licence, drivers licence, driver's licence, driving licence, licence number, licence no, "
            "driver license, drivers license, driver's license, rms, vicroads, service nsw, dl"
        ),
        fields=words("driver licence, drivers licence, driver s licence, licence number, licence no"),
        field_pattern=r"\d{3}",
        regions=("AU",),
        aliases=("AU_DRIVER_LICENSE", "australiaDriversLicenseNumber"),
    ),
    Detector(
        id="au_bank_account",
        title="Australian bank account with BSB",
        presets=_BANK,
        style=Style.LAST4,
        forms=(
            Form(r"\d{3}-\d{3}[ -]\d{6,10}", (12, 16), 0.5),
            Form(r"\d{3}[- ]?\d{3}", (6, 6), 0.2),
            Form(r"\d{6,10}", (6, 10), 0.15),
        ),
        context=words("bsb, bsb number, bank state branch"),
        fields=words("bsb, bsb number, bank state branch"),
        field_pattern=r"\d{3}",
        regions=("AU",),
        aliases=("AU_BANK_ACCOUNT", "AU_BSB"),
    ),
)

_NEW_ZEALAND: tuple[Detector, ...] = (
    Detector(
        id="nz_nhi",
        title="New Zealand health number (NHI)",
        presets=_HEALTH,
        forms=(
            Form(r"[A-HJ-NP-Z]{3}\d{4}", (7, 7), 0.5, is_new_zealand_health),
            Form(r"[A-HJ-NP-Z]{3}\d{2}[A-HJ-NP-Z]{2}", (7, 7), 0.55, is_new_zealand_health),
            Form(r"[a-hj-np-z]{3}\d{4}|[a-hj-np-z]{3}\d{2}[a-hj-np-z]{2}", (7, 7), 0.3, is_new_zealand_health),
        ),
        context=words("nhi, nhi number, nhi no, national health index, hauora, health index, patient"),
        unlike=words("plate, license plate, number plate, flight"),
        fields=words("nhi, nhi number, national health index"),
        field_pattern=r"\d{2}",
        regions=("NZ",),
        aliases=("newZealandNhiNumber", "new_zealand_nhi_number", "NZ_NHI"),
    ),
    Detector(
        id="nz_ird",
        title="New Zealand tax number (IRD)",
        presets=_PERSON,
        forms=(
            Form(r"\d{2,3}-\d{3}-\d{3}", (8, 9), 0.5, bare("nz.ird")),
            Form(r"\d{8,9}|\d{2,3} \d{3} \d{3}", (8, 9), 0.3, bare("nz.ird")),
        ),
        context=words("ird, ird number, ird no, inland revenue, tari taake"),
        fields=words("ird, ird number, ird no"),
        field_pattern=r"\d{2}",
        regions=("NZ",),
        aliases=("NZ_IRD",),
    ),
    Detector(
        id="nz_bank_account",
        title="New Zealand bank account",
        presets=_BANK,
        style=Style.LAST4,
        forms=(
            Form(r"\d{2}-\d{4}-\d{7}-\d{2,3}", (15, 16), 0.85, bare("nz.bankaccount")),
            Form(r"\d{2}[- ]?\d{4}[- ]?\d{7}[- ]?\d{2,3}", (15, 16), 0.3, bare("nz.bankaccount")),
        ),
        context=words("bank account, account number, account no, nz bank"),
        fields=words("bank account, bank account number, account number"),
        field_pattern=r"\d{4}",
        regions=("NZ",),
        aliases=("NZ_BANK_ACCOUNT",),
    ),
)

ROWS: tuple[Detector, ...] = _AUSTRALIA + _NEW_ZEALAND
