"""Numbers of China, Hong Kong and Taiwan: persons and companies. Passports are in passport.py."""

from agen_authz.core.masking.national import bare, is_china_id, is_china_old_id, is_hong_kong_id, is_taiwan_id, words
from agen_authz.core.masking.row import Detector, Form, Preset

_PERSON = frozenset({Preset.PII, Preset.GDPR})

ROWS: tuple[Detector, ...] = (
    Detector(
        id="cn_ric",
        title="Chinese resident identity card",
        presets=_PERSON,
        forms=(
            Form(r"(?i)[1-9]\d{5}(?:18|19|20)\d{9}[\dX]", (18, 18), 0.85, is_china_id),
            Form(r"(?i)[1-9]\d{5}[ -](?:18|19|20)\d{6}[ -]\d{3}[\dX]", (18, 18), 0.85, is_china_id),
            Form(r"[1-8]\d{14}", (15, 15), 0.25, is_china_old_id),
        ),
        context=words(
            "china id, chinese id, resident identity card, resident id, identity card, id card, shenfenzheng, 身份证, "
            "身份证号, 身份证号码, 居民身份证, 公民身份号码, 身分證"
        ),
        fields=words(
            "china id, chinese id, identity card, shenfenzheng, sfz, resident id, 身份证, 身份证号, id card no"
        ),
        field_pattern=r"\d{8}",
        regions=("CN",),
        aliases=("chinaIdNumber", "china_id_number", "CN_RIC", "CN_ID"),
    ),
    Detector(
        id="cn_uscc",
        title="Chinese unified social credit code of a company",
        presets=_PERSON,
        forms=(Form(r"[159Y][1-39]\d{6}[0-9A-HJ-NPQRTUWXY]{10}", (18, 18), 0.75, bare("cn.uscc")),),
        context=words("uscc, unified social credit, social credit code, 统一社会信用代码, 信用代码"),
        fields=words("uscc, unified social credit code, social credit code"),
        field_pattern=r"\d{6}",
        regions=("CN",),
        aliases=("CN_USCC",),
    ),
    Detector(
        id="hk_id",
        title="Hong Kong identity card",
        presets=_PERSON,
        direct=(Form(r"\b[A-Z]{1,2}\d{6} ?\([0-9A]\)", (8, 9), 0.8, is_hong_kong_id),),
        forms=(
            Form(r"[A-Z]{1,2}\d{6}[- ]?[0-9A]", (8, 9), 0.4, is_hong_kong_id),
            Form(r"[A-Z]{1,2}\d{6}-[0-9A]", (8, 9), 0.5, is_hong_kong_id),
        ),
        context=words(
            "hkid, hk id, hong kong id, hong kong identity card, hong kong, identity card, 身份證, 香港身份證"
        ),
        fields=words("hkid, hk id, hong kong id, hong kong identity card"),
        field_pattern=r"\d{6}",
        regions=("HK",),
        aliases=("hongKongId", "hong_kong_id", "HK_ID"),
    ),
    Detector(
        id="tw_id",
        title="Taiwanese national identity number or residence certificate",
        presets=_PERSON,
        # One id in ten of this form passes the check, so a word must tell of it.
        forms=(Form(r"[A-Z][1289A-D]\d{8}", (10, 10), 0.4, is_taiwan_id),),
        context=words(
            "taiwan id, taiwanese id, national id, taiwan, roc id, arc number, 身分證, 身分證字號, "
            "國民身分證, 統一證號, 居留證"
        ),
        fields=words("taiwan id, national id, 身分證字號, 身分證"),
        field_pattern=r"[A-Z][1289A-D]\d{8}",
        regions=("TW",),
        aliases=("taiwanNationalIdNumber", "taiwan_national_id_number", "TW_NATIONAL_ID", "TW_ID"),
    ),
    Detector(
        id="tw_ubn",
        title="Taiwanese company number (UBN)",
        presets=_PERSON,
        forms=(Form(r"\d{8}", (8, 8), 0.25, bare("tw.ubn")),),
        context=words("ubn, unified business number, gui number, vat id, 統一編號, 統編"),
        fields=words("ubn, unified business number"),
        field_pattern=r"\d{8}",
        regions=("TW",),
        aliases=("TW_UBN",),
    ),
)
