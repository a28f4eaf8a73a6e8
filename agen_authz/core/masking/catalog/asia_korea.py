"""Numbers of South Korea: persons, aliens, companies, licences, health insurance. Passports are in passport.py."""

from agen_authz.core.masking.national import (
    bare,
    is_korean_corporation,
    is_korean_foreigner,
    is_korean_resident,
    words,
)
from agen_authz.core.masking.row import Detector, Form, Preset

_PERSON = frozenset({Preset.PII, Preset.GDPR})

_BIRTH = r"\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
# The two lines of a passport's machine readable zone (ICAO 9303 part 4), of documents that the country gave out.
_ZONE = (
    r"\bP[A-Z<]KOR[A-Z<]{20,39}",
    r"\b[A-Z][A-Z0-9<]{8}<?\dKOR\d{7}[MFX<]\d{7}[A-Z0-9<]{0,14}\d{0,2}",
)

ROWS: tuple[Detector, ...] = (
    Detector(
        id="kr_rrn",
        title="South Korean resident registration number",
        presets=_PERSON,
        forms=(
            Form(rf"{_BIRTH}-[1-490]\d{{6}}", (13, 13), 0.8, is_korean_resident),
            Form(rf"{_BIRTH} ?[1-490]\d{{6}}", (13, 13), 0.55, is_korean_resident),
        ),
        context=words(
            "rrn, rrn#, resident registration, resident registration number, korean rrn, korean id, korea id, "
            "south korea id, national id, 주민등록번호, 주민번호, 주민등록, 신분증"
        ),
        fields=words("rrn, resident registration number, korean id, jumin, 주민등록번호, 주민번호, south korea id"),
        field_pattern=r"\d{6}",
        regions=("KR",),
        aliases=(
            "southKoreaResidentRegistrationNumber",
            "south_korea_resident_registration_number",
            "southKoreaIdNumber",
            "south_korea_id_number",
            "KR_RRN",
        ),
    ),
    Detector(
        id="kr_frn",
        title="South Korean alien registration number",
        presets=_PERSON,
        forms=(
            Form(rf"{_BIRTH}-[5-8]\d{{6}}", (13, 13), 0.8, is_korean_foreigner),
            Form(rf"{_BIRTH} ?[5-8]\d{{6}}", (13, 13), 0.55, is_korean_foreigner),
        ),
        context=words(
            "frn, arn, arc, alien registration, alien registration number, alien registration card, foreigner "
            "registration, foreigner registration number, korean frn, 외국인등록번호, 외국인등록, 외국인번호"
        ),
        fields=words("frn, arn, alien registration number, foreigner registration number, 외국인등록번호"),
        field_pattern=r"\d{6}",
        regions=("KR",),
        aliases=("southKoreaAlienRegisterationNumber", "south_korea_alien_registeration_number", "KR_FRN", "KR_ARN"),
    ),
    Detector(
        id="kr_domestic_residence",
        title="South Korean domestic residence report number, of Koreans who live abroad",
        presets=_PERSON,
        # The form and the check digit are those of an alien registration.
        forms=(Form(rf"{_BIRTH}[- ]?[5-8]\d{{6}}", (13, 13), 0.35, is_korean_foreigner),),
        context=words(
            "domestic residence, domestic residence report, residence report number, residence report, "
            "overseas korean, 국내거소신고번호, 국내거소신고, 거소신고번호, 거소신고"
        ),
        fields=words("domestic residence report number, domestic residence number, residence report number"),
        field_pattern=r"\d{6}",
        regions=("KR",),
        aliases=(
            "southKoreaDomesticResidenceReportNumber",
            "south_korea_domestic_residence_report_number",
            "KR_DOMESTIC_RESIDENCE",
        ),
    ),
    Detector(
        id="kr_driver_license",
        title="South Korean driver's licence",
        presets=_PERSON,
        forms=(
            Form(r"(?:1[1-9]|2[0-68])[- ]\d{2}[- ]\d{6}[- ]\d{2}", (12, 12), 0.6),
            Form(r"(?:1[1-9]|2[0-68])\d{10}|\d{2}-\d{6}-\d{2}", (10, 12), 0.25),
        ),
        context=words(
            "driver license, drivers license, driver's license, driver licence, drivers licence, driving license, "
            "driving licence, license number, dl, korean driver license, 운전면허, 운전면허번호, 운전면허증, 면허번호"
        ),
        fields=words("driver license, drivers license, driver s license, driving licence, 운전면허번호, 면허번호"),
        field_pattern=r"\d{6}",
        regions=("KR",),
        aliases=("southKoreaDriverLicenseNumber", "south_korea_driver_license_number", "KR_DRIVER_LICENSE"),
    ),
    Detector(
        id="kr_passport_mrz",
        title="machine readable zone of a South Korean passport",
        presets=_PERSON,
        direct=tuple(Form(each, (9, 44), 0.9) for each in _ZONE),
        forms=(Form(r"[MSRODGT][A-Z0-9]{8}\dKOR\d{7}[MFX]\d{7}", (28, 28), 0.9),),
        context=words("mrz, machine readable, passport, 여권, 기계판독"),
        fields=words("mrz, machine readable zone, passport mrz"),
        field_pattern=r"KOR",
        regions=("KR",),
        aliases=("southKoreaPassportMrzNumber", "south_korea_passport_mrz_number", "KR_PASSPORT_MRZ"),
    ),
    Detector(
        id="kr_health_insurance",
        title="South Korean health insurance number",
        presets=_PERSON | {Preset.PHI},
        forms=(Form(r"[1-9]-?\d{10}", (11, 11), 0.25),),
        context=words(
            "health insurance, health insurance number, nhis, national health insurance, insurance card, "
            "건강보험, 건강보험증, 건강보험번호, 건강보험증번호, 의료보험"
        ),
        fields=words("health insurance number, health insurance, nhis number, 건강보험증번호, 건강보험번호"),
        field_pattern=r"\d{6}",
        regions=("KR",),
        aliases=("southKoreaHealthInsuranceNumber", "south_korea_health_insurance_number", "KR_HEALTH_INSURANCE"),
    ),
    Detector(
        id="kr_brn",
        title="South Korean business registration number",
        presets=_PERSON,
        forms=(
            Form(r"\d{3}-\d{2}-\d{5}", (10, 10), 0.55, bare("kr.brn")),
            Form(r"\d{10}", (10, 10), 0.3, bare("kr.brn")),
        ),
        context=words(
            "brn, korean brn, business registration, business registration number, business number, "
            "tax registration number, 사업자등록번호, 사업자번호, 사업자"
        ),
        fields=words("brn, business registration number, business number, 사업자등록번호"),
        field_pattern=r"\d{5}",
        regions=("KR",),
        aliases=("KR_BRN",),
    ),
    Detector(
        id="kr_crn",
        title="South Korean corporate registration number",
        presets=_PERSON,
        forms=(
            Form(r"\d{6}-\d{7}", (13, 13), 0.45, is_korean_corporation),
            Form(r"\d{13}", (13, 13), 0.25, is_korean_corporation),
        ),
        context=words("crn, corporate registration, corporate registration number, 법인등록번호, 법인번호"),
        fields=words("crn, corporate registration number, 법인등록번호"),
        field_pattern=r"\d{6}",
        regions=("KR",),
        aliases=("KR_CRN",),
    ),
)
