"""Numbers of Indonesia, Malaysia, the Philippines, Singapore, Thailand and Vietnam. Passports are in passport.py."""

from agen_authz.core.masking.national import bare, is_philippine_tin, is_singapore_id, words
from agen_authz.core.masking.row import Detector, Form, Preset

_PERSON = frozenset({Preset.PII, Preset.GDPR})
_HEALTH = frozenset({Preset.PII, Preset.GDPR, Preset.PHI})

_PROVINCE = r"(?:[134]\d|2[0-7]|5[0-8]|[67][0-7]|[89][0-6])"

_SINGAPORE: tuple[Detector, ...] = (
    Detector(
        id="sg_nric",
        title="Singaporean identity number (NRIC, FIN)",
        presets=_PERSON,
        forms=(Form(r"(?i)[STFGM]\d{7}[A-Z]", (9, 9), 0.7, is_singapore_id),),
        context=words("nric, nric#, fin, fin#, nric/fin, singapore id, identity card, ic number, ic no"),
        fields=words("nric, nric number, =fin, fin number, nric fin"),
        field_pattern=r"\d{4}",
        regions=("SG",),
        aliases=("sgNricFin", "sg_nric_fin", "SG_NRIC_FIN", "SG_NRIC", "sg_fin"),
    ),
    Detector(
        id="sg_uen",
        title="Singaporean company number (UEN)",
        presets=_PERSON,
        forms=(
            Form(r"[TSR]\d{2}[A-Z]{2}\d{4}[A-Z]", (10, 10), 0.75, bare("sg.uen")),
            Form(r"(?:19|20)\d{7}[A-Z]", (10, 10), 0.55, bare("sg.uen")),
            Form(r"\d{8}[A-Z]", (9, 9), 0.4, bare("sg.uen")),
        ),
        context=words("uen, unique entity number, business registration, acra"),
        fields=words("uen, unique entity number"),
        field_pattern=r"\d{4}",
        regions=("SG",),
        aliases=("SG_UEN",),
    ),
    Detector(
        id="sg_driver_license",
        title="Singaporean driving licence",
        presets=_PERSON,
        # The licence has the holder's NRIC or FIN; a word next to it is enough.
        forms=(Form(r"(?i)[STFGM]\d{7}[A-Z]", (9, 9), 0.3),),
        context=words(
            "driving licence, driving license, driver licence, driver license, drivers license, drivers licence, "
            "driver's license, driver's licence, licence number, license number, licence no"
        ),
        fields=words("driving licence, driving license, driver license, drivers license, driver licence"),
        field_pattern=r"\d{4}",
        regions=("SG",),
        aliases=("singaporeDriverLicenseNumber", "singapore_driver_license_number", "SG_DRIVER_LICENSE"),
    ),
)

_PHILIPPINES: tuple[Detector, ...] = (
    Detector(
        id="ph_umid",
        title="Philippine unified multi-purpose id (UMID, CRN)",
        presets=_PERSON,
        forms=(Form(r"\d{4}-\d{7}-\d", (12, 12), 0.6), Form(r"\d{12}", (12, 12), 0.25)),
        context=words(
            "umid, umid number, umid card, unified multi-purpose id, unified multipurpose id, crn, "
            "common reference number, sss, gsis, philhealth, pag-ibig"
        ),
        fields=words("umid, umid number, crn, common reference number"),
        field_pattern=r"\d{4}",
        regions=("PH",),
        aliases=("PH_UMID",),
    ),
    Detector(
        id="ph_tin",
        title="Philippine taxpayer number (TIN)",
        presets=_PERSON,
        forms=(
            Form(r"\d{3}-\d{3}-\d{3}-\d{3}(?:\d{2})?", (12, 14), 0.55, is_philippine_tin),
            Form(r"\d{3}-\d{3}-\d{3}", (9, 9), 0.4, is_philippine_tin),
            Form(r"\d{9}|\d{12}", (9, 12), 0.3, is_philippine_tin),
        ),
        context=words(
            "tin, tin number, tin no, tin id, taxpayer identification number, taxpayer id, tax id, bir, rdo, "
            "revenue district office"
        ),
        fields=words("=tin, tin number, tin no, taxpayer identification number"),
        field_pattern=r"\d{3}",
        regions=("PH",),
        aliases=("PH_TIN",),
    ),
    Detector(
        id="ph_sss",
        title="Philippine social security number (SSS)",
        presets=_PERSON,
        forms=(Form(r"\d{2}-\d{7}-\d", (10, 10), 0.5), Form(r"\d{10}", (10, 10), 0.2)),
        context=words("sss, sss number, sss no, social security system"),
        fields=words("=sss, sss number, sss no"),
        field_pattern=r"\d{4}",
        regions=("PH",),
        aliases=("PH_SSS",),
    ),
    Detector(
        id="ph_philhealth",
        title="Philippine health insurance number (PhilHealth)",
        presets=_HEALTH,
        forms=(Form(r"\d{2}-\d{9}-\d", (12, 12), 0.5), Form(r"\d{12}", (12, 12), 0.2)),
        context=words("philhealth, philhealth number, philhealth id, phic"),
        fields=words("philhealth, philhealth number"),
        field_pattern=r"\d{4}",
        regions=("PH",),
        aliases=("PH_PHILHEALTH",),
    ),
    Detector(
        id="ph_philsys",
        title="Philippine national identity number (PhilSys)",
        presets=_PERSON,
        forms=(Form(r"\d{12}|\d{16}|\d{4}-\d{4}-\d{4}(?:-\d{4})?|\d{4}-\d{7}-\d", (12, 16), 0.25),),
        context=words("philsys, psn, pcn, philid, philippine identification"),
        fields=words("philsys, psn, pcn, philid"),
        field_pattern=r"\d{4}",
        regions=("PH",),
        aliases=("PH_PHILSYS",),
    ),
    Detector(
        id="ph_driver_license",
        title="Philippine driver's licence",
        presets=_PERSON,
        forms=(Form(r"[A-Z]\d{2}-\d{2}-\d{6}", (11, 11), 0.6), Form(r"[A-Z]\d{10}", (11, 11), 0.25)),
        context=words("driver license, drivers license, driver's license, license number, license no, dl, lto"),
        fields=words("driver license, drivers license, driver s license, license number"),
        field_pattern=r"\d{4}",
        regions=("PH",),
        aliases=("PH_DRIVER_LICENSE",),
    ),
)

_OTHERS: tuple[Detector, ...] = (
    Detector(
        id="id_nik",
        title="Indonesian identity number (NIK)",
        presets=_PERSON,
        forms=(Form(r"[1-9]\d{15}|[1-9]\d{5}[. ]\d{6}[. ]\d{4}", (16, 16), 0.6, bare("id.nik")),),
        context=words("nik, ktp, e-ktp, nomor induk, nomor induk kependudukan, kependudukan, indonesia"),
        fields=words("nik, ktp, nomor ktp, nomor induk kependudukan"),
        field_pattern=r"\d{6}",
        regions=("ID",),
        aliases=("ID_NIK", "ID_KTP"),
    ),
    Detector(
        id="id_npwp",
        title="Indonesian tax number (NPWP)",
        presets=_PERSON,
        forms=(
            Form(r"\d{2}\.\d{3}\.\d{3}\.\d-\d{3}\.\d{3}", (15, 15), 0.8, bare("id.npwp")),
            Form(r"\d{15}", (15, 15), 0.35, bare("id.npwp")),
        ),
        context=words("npwp, nomor pokok wajib pajak, wajib pajak"),
        fields=words("npwp, nomor pokok wajib pajak"),
        field_pattern=r"\d{3}",
        regions=("ID",),
        aliases=("ID_NPWP",),
    ),
    Detector(
        id="my_nric",
        title="Malaysian identity card (MyKad)",
        presets=_PERSON,
        forms=(
            Form(r"\d{6}-\d{2}-\d{4}", (12, 12), 0.75, bare("my.nric")),
            # Of twelve digits one number in fifty has such a date and place.
            Form(r"\d{12}|\d{6} \d{2} \d{4}", (12, 12), 0.5, bare("my.nric")),
        ),
        context=words(
            "mykad, nric, ic number, ic no, malaysian ic, malaysia id, malaysian id, malaysia, identity card, "
            "kad pengenalan, no kp, nombor kad pengenalan, mypr"
        ),
        fields=words("my kad, nric, ic number, ic no, kad pengenalan, malaysia id, no kp"),
        field_pattern=r"\d{4}",
        regions=("MY",),
        aliases=("malaysiaIdNumber", "malaysia_id_number", "MY_NRIC", "MY_MYKAD"),
    ),
    Detector(
        id="th_id",
        title="Thai identity number",
        presets=_PERSON,
        forms=(
            Form(r"[1-8]-\d{4}-\d{5}-\d{2}-\d|[1-8] \d{4} \d{5} \d{2} \d", (13, 13), 0.75, bare("th.pin")),
            # The province follows the first digit. Milliseconds since 1970 begin with 15 to 17.
            Form(rf"(?:[2-8]{_PROVINCE}|1(?:1\d|2[0-7]|[34]\d|8[0-6]|9[0-6]))\d{{10}}", (13, 13), 0.5, bare("th.pin")),
            Form(r"[1-8]\d{12}", (13, 13), 0.35, bare("th.pin")),
        ),
        context=words(
            "thai id, thai national id, thai id number, tnin, thailand, pid, citizen id, เลขประจำตัวประชาชน, "
            "เลขบัตรประชาชน, บัตรประชาชน, รหัสปชช"
        ),
        fields=words("thai id, thai national id, thailand id, tnin, citizen id, national id"),
        field_pattern=r"\d{4}",
        regions=("TH",),
        aliases=("thailandIdNumber", "thailand_id_number", "TH_TNIN", "TH_ID"),
    ),
    Detector(
        id="vn_cccd",
        title="Vietnamese identity card (CCCD)",
        presets=_PERSON,
        forms=(Form(r"0[0-9]{2}[0-3]\d{8}", (12, 12), 0.3), Form(r"\d{9}", (9, 9), 0.2)),
        context=words("cccd, cmnd, căn cước, căn cước công dân, chứng minh nhân dân, can cuoc cong dan, vietnam id"),
        fields=words("cccd, cmnd, can cuoc cong dan"),
        field_pattern=r"\d{6}",
        regions=("VN",),
        aliases=("VN_CCCD",),
    ),
    Detector(
        id="vn_mst",
        title="Vietnamese tax number (MST)",
        presets=_PERSON,
        forms=(
            Form(r"\d{10}-\d{3}", (13, 13), 0.55, bare("vn.mst")),
            Form(r"\d{10}", (10, 10), 0.3, bare("vn.mst")),
        ),
        context=words("mst, mã số thuế, ma so thue, mst number"),
        fields=words("mst, ma so thue, mã số thuế"),
        field_pattern=r"\d{10}",
        regions=("VN",),
        aliases=("VN_MST",),
    ),
)

ROWS: tuple[Detector, ...] = _SINGAPORE + _PHILIPPINES + _OTHERS
