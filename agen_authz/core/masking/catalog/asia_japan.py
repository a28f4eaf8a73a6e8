"""Numbers of Japan: persons, companies, licences. Passports are in passport.py, bank accounts in bank.py."""

from agen_authz.core.masking.check import digits_of
from agen_authz.core.masking.national import bare, words
from agen_authz.core.masking.row import Detector, Form, Preset

_PERSON = frozenset({Preset.PII, Preset.GDPR})
_CORPORATE = bare("jp.cn")


def _is_corporate(value: str) -> bool:
    """True if the check digit is right; of an invoice issuer's number, T and the company's number."""
    return _CORPORATE(digits_of(value))


ROWS: tuple[Detector, ...] = (
    Detector(
        id="jp_my_number",
        title="Japanese My Number of a person",
        presets=_PERSON,
        # Four digits thrice is also how part of a card number looks.
        forms=(
            Form(r"\d{4}-\d{4}-\d{4}", (12, 12), 0.45, bare("jp.in_")),
            Form(r"\d{12}|\d{4} \d{4} \d{4}", (12, 12), 0.4, bare("jp.in_")),
        ),
        context=words("my number, mynumber, individual number, kojin bango, マイナンバー, 個人番号, my number card"),
        fields=words("my number, mynumber, individual number, kojin bango, マイナンバー, 個人番号"),
        field_pattern=r"\d{4}",
        regions=("JP",),
        aliases=("japanMyNumberPersonal", "japan_my_number_personal", "JP_MY_NUMBER", "JP_INDIVIDUAL_NUMBER"),
    ),
    Detector(
        id="jp_corporate_number",
        title="Japanese My Number of a company",
        presets=_PERSON,
        forms=(
            Form(r"T\d{13}|T\d-\d{4}-\d{4}-\d{4}", (14, 14), 0.6, _is_corporate),
            Form(r"\d-\d{4}-\d{4}-\d{4}", (13, 13), 0.55, _is_corporate),
            Form(r"[1-9]\d{12}", (13, 13), 0.35, _is_corporate),
        ),
        context=words(
            "corporate number, corporate my number, company number, my number, hojin bango, invoice registration, "
            "法人番号, 法人マイナンバー, 登録番号"
        ),
        fields=words("corporate number, corporate my number, hojin bango, 法人番号"),
        field_pattern=r"\d{4}",
        regions=("JP",),
        aliases=("japanMyNumberCorporate", "japan_my_number_corporate", "JP_CORPORATE_NUMBER", "JP_CN"),
    ),
    Detector(
        id="jp_driver_license",
        title="Japanese driver's licence",
        presets=_PERSON,
        forms=(Form(r"\d{12}|\d{4}[- ]\d{4}[- ]\d{4}|\d{2}[- ]\d{2}[- ]\d{6}[- ]\d{2}", (12, 12), 0.25),),
        context=words(
            "driver license, drivers license, driver's license, driver licence, drivers licence, driving license, "
            "driving licence, license number, dl, dl#, menkyo, 運転免許, 運転免許証, 免許証, 免許証番号, 公安委員会"
        ),
        fields=words(
            "driver license, drivers license, driver s license, driving licence, menkyo, 運転免許証番号, 免許証番号"
        ),
        field_pattern=r"\d{6}",
        regions=("JP",),
        aliases=("japanDriverLicenseNumber", "japan_driver_license_number", "JP_DRIVER_LICENSE"),
    ),
    Detector(
        id="jp_residence_card",
        title="Japanese residence card",
        presets=_PERSON,
        forms=(Form(r"[A-Z]{2} ?\d{8} ?[A-Z]{2}", (12, 12), 0.65),),
        context=words(
            "residence card, zairyu, zairyu card, alien registration, 在留カード, 在留カード番号, 外国人登録証"
        ),
        fields=words("residence card, residence card number, zairyu card, zairyu, 在留カード番号"),
        field_pattern=r"\d{6}",
        regions=("JP",),
        aliases=("japanResidenceCardNumber", "japan_residence_card_number", "JP_RESIDENCE_CARD"),
    ),
    Detector(
        id="jp_resident_registration",
        title="Japanese resident registration code",
        presets=_PERSON,
        forms=(Form(r"\d{11}|\d{5}-\d{5}-\d|\d{4}-\d{4}-\d{3}", (11, 11), 0.25),),
        context=words(
            "resident registration, resident registration number, resident registration code, resident register, "
            "residents basic registry, residency registration, juki, juki net, juminhyo, "
            "住民票コード, 住民票, 住民登録番号, 住民基本台帳"
        ),
        fields=words("resident registration, resident registration number, juminhyo, juki, 住民票コード"),
        field_pattern=r"\d{6}",
        regions=("JP",),
        aliases=("japanResidentRegistrationNumber", "japan_resident_registration_number", "JP_RESIDENT_REGISTRATION"),
    ),
    Detector(
        id="jp_social_insurance",
        title="Japanese social insurance or pension number",
        presets=_PERSON,
        forms=(Form(r"\d{4}[- ]\d{6}", (10, 10), 0.3), Form(r"\d{7,12}", (7, 12), 0.2)),
        context=words(
            "social insurance, social insurance number, sin, sin number, pension number, basic pension, "
            "pension, kiso nenkin, 社会保険, 社会保険番号, 基礎年金番号, 年金番号, 健康保険, 被保険者番号"
        ),
        fields=words("social insurance number, basic pension number, pension number, 基礎年金番号, 社会保険番号"),
        field_pattern=r"\d{4}",
        regions=("JP",),
        aliases=(
            "japanSocialInsuranceNumberSin",
            "japan_social_insurance_number_sin",
            "JP_SOCIAL_INSURANCE",
        ),
    ),
)
