"""Numbers of Israel, the Emirates, Saudi Arabia and Egypt. Passports are in passport.py, accounts in bank.py."""

from agen_authz.core.masking.national import bare, is_egyptian_id, luhn, words
from agen_authz.core.masking.row import Detector, Form, Preset

_PERSON = frozenset({Preset.PII, Preset.GDPR})

ROWS: tuple[Detector, ...] = (
    Detector(
        id="il_id",
        title="Israeli identity number (Teudat Zehut)",
        presets=_PERSON,
        forms=(
            Form(r"\d{8}-\d", (9, 9), 0.4, bare("il.idnr")),
            Form(r"\d{9}", (9, 9), 0.35, bare("il.idnr")),
        ),
        context=words(
            "israel id, israeli id, israeli identity, israel national id, israel, teudat zehut, tz, mispar zehut, "
            "תעודת זהות, מספר זהות, ת.ז, ת״ז"
        ),
        fields=words("israel id, israeli id, teudat zehut, =tz, תעודת זהות, מספר זהות"),
        field_pattern=r"\d{4}",
        regions=("IL",),
        aliases=("ilIdNumber", "il_id_number", "IL_ID", "IL_ID_NUMBER"),
    ),
    Detector(
        id="il_hp",
        title="Israeli company number (H.P.)",
        presets=_PERSON,
        forms=(Form(r"5\d-\d{6}-\d", (9, 9), 0.5, bare("il.hp")), Form(r"5\d{8}", (9, 9), 0.3, bare("il.hp"))),
        context=words("hevra pratit, company number, h.p., ח.פ, ח״פ, מספר חברה, עוסק מורשה"),
        fields=words("hevra pratit, israel company number, =hp, =h p"),
        field_pattern=r"\d{9}",
        regions=("IL",),
        aliases=("IL_HP",),
    ),
    Detector(
        id="ae_id",
        title="Emirates identity card",
        presets=_PERSON,
        forms=(
            Form(r"784-(?:19|20)\d{2}-\d{7}-\d|784(?:19|20)\d{10}", (15, 15), 0.85, luhn),
            Form(r"784[- ]?(?:19|20)\d{2}[- ]?\d{7}[- ]?\d", (15, 15), 0.6, luhn),
        ),
        context=words(
            "emirates id, emirates identity card, uae id, uae identity card, uae identity, uae, eid number, "
            "الهوية الإماراتية, رقم الهوية, بطاقة الهوية"
        ),
        fields=words("emirates id, uae id, emirates identity card, eid number, رقم الهوية"),
        field_pattern=r"784",
        regions=("AE",),
        aliases=("uaeIdentityCardNumber", "uae_identity_card_number", "UAE_ID", "AE_ID"),
    ),
    Detector(
        id="sa_id",
        title="Saudi identity number or residence permit (iqama)",
        presets=_PERSON,
        forms=(Form(r"[12]\d{9}", (10, 10), 0.35, luhn),),
        context=words("iqama, saudi id, saudi national id, saudi arabia, ksa id, رقم الهوية, الهوية الوطنية, إقامة"),
        fields=words("iqama, iqama number, saudi id, saudi national id, رقم الهوية"),
        field_pattern=r"\d{6}",
        regions=("SA",),
        aliases=("SA_ID",),
    ),
    Detector(
        id="eg_id",
        title="Egyptian national identity number",
        presets=_PERSON,
        forms=(
            Form(r"(?:2[1-9]|3\d)\d{12}", (14, 14), 0.55, is_egyptian_id),
            # Times begin so (20260131...); of the holders few are left, for 2 is the twentieth century.
            Form(r"20\d{12}", (14, 14), 0.35, is_egyptian_id),
        ),
        context=words("egypt, egyptian id, egyptian national id, الرقم القومي, بطاقة الرقم القومي"),
        fields=words("egyptian id, egypt national id, الرقم القومي"),
        field_pattern=r"\d{6}",
        regions=("EG",),
        aliases=("EG_ID",),
    ),
    Detector(
        id="eg_tn",
        title="Egyptian tax number",
        presets=_PERSON,
        forms=(Form(r"\d{3}-\d{3}-\d{3}|\d{9}", (9, 9), 0.2, bare("eg.tn")),),
        context=words("egypt tax, egyptian tax, tax registration number, رقم التسجيل الضريبي, البطاقة الضريبية"),
        fields=words("egypt tax number, رقم التسجيل الضريبي"),
        field_pattern=r"\d{3}",
        regions=("EG",),
        aliases=("EG_TN",),
    ),
)
