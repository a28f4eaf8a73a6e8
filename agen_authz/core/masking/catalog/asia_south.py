"""Numbers of India, Pakistan, Bangladesh and Sri Lanka: persons, companies, vehicles. Passports: passport.py."""

from agen_authz.core.masking.national import alnum_of, bare, is_sri_lanka_id, words
from agen_authz.core.masking.row import Detector, Form, Preset

_PERSON = frozenset({Preset.PII, Preset.GDPR})
_AADHAAR = bare("in_.aadhaar")

# States and territories, as number plates and job cards begin.
_STATE = (
    r"(?:A[NPRS]|B[RH]|C[GH]|D[DLN]|G[AJ]|H[PR]|J[HK]|K[AL]|L[ADH]|M[HLNPZ]|NL|O[DR]|P[BY]|RJ|SK|T[GNRS]|U[AKPT]|WB)"
)


def _has_number(value: str) -> bool:
    """True if the last four digits are not all zero: no vehicle has them."""
    return not alnum_of(value).endswith("0000")


_INDIA: tuple[Detector, ...] = (
    Detector(
        id="in_aadhaar",
        title="Indian Aadhaar number",
        presets=_PERSON,
        forms=(
            Form(r"[2-9]\d{3} \d{4} \d{4}|[2-9]\d{3}-\d{4}-\d{4}|[2-9]\d{3}:\d{4}:\d{4}", (12, 12), 0.55, _AADHAAR),
            Form(r"[2-9]\d{11}", (12, 12), 0.45, _AADHAAR),
        ),
        context=words("aadhaar, aadhar, adhaar, uidai, uid, unique identification, आधार, आधार संख्या, आधार नंबर"),
        fields=words("aadhaar, aadhar, adhaar, aadhaar number, aadhar number, uidai"),
        field_pattern=r"\d{4}",
        regions=("IN",),
        aliases=("IN_AADHAAR",),
    ),
    Detector(
        id="in_pan",
        title="Indian permanent account number (PAN)",
        presets=_PERSON,
        forms=(Form(r"(?i)[A-Z]{3}[ABCEFGHJLPT][A-Z]\d{4}[A-Z]", (10, 10), 0.65, bare("in_.pan")),),
        context=words("pan, pan number, pan card, pan no, permanent account number, income tax, स्थायी खाता"),
        fields=words("pan, pan number, pan card, pan no, permanent account number"),
        field_pattern=r"[A-Za-z]{5}\d{4}",
        regions=("IN",),
        aliases=("IN_PAN",),
    ),
    Detector(
        id="in_gstin",
        title="Indian goods and services tax number (GSTIN)",
        presets=_PERSON,
        forms=(Form(r"(?i)\d{2}[A-Z]{5}\d{4}[A-Z][0-9A-Z]Z[0-9A-Z]", (15, 15), 0.85, bare("in_.gstin")),),
        context=words("gstin, gst, goods and services tax, gst number, gst registration, gst no"),
        fields=words("gstin, gst number, gst no, =gst"),
        field_pattern=r"\d{2}[A-Za-z]{5}\d{4}",
        regions=("IN",),
        aliases=("IN_GSTIN",),
    ),
    Detector(
        id="in_voter",
        title="Indian voter card (EPIC)",
        presets=_PERSON,
        forms=(
            Form(r"[A-Z]{3}\d{7}", (10, 10), 0.45, bare("in_.epic")),
            Form(r"(?i)[A-Z]{3}\d{7}", (10, 10), 0.25, bare("in_.epic")),
        ),
        context=words("voter, voter id, voters, epic, epic no, elector, elector photo identity card, election card"),
        fields=words("voter id, voter card, epic number, epic no, =epic, voter"),
        field_pattern=r"[A-Za-z]{3}\d{7}",
        regions=("IN",),
        aliases=("IN_VOTER",),
    ),
    Detector(
        id="in_vehicle_registration",
        title="Indian vehicle registration",
        presets=_PERSON,
        forms=(
            Form(rf"(?i){_STATE}[- ]?\d{{1,2}}[- ]?[A-Z]{{1,3}}[- ]?\d{{4}}", (8, 11), 0.6, _has_number),
            Form(r"(?i)[2-9][0-9][- ]?BH[- ]?\d{4}[- ]?[A-HJ-NP-Z]{1,2}", (9, 10), 0.7, _has_number),
            # Armed forces: year, class, serial and a letter; missions abroad.
            Form(r"\d{2}[A-FHKPRX]\d{6}[A-Z]", (10, 10), 0.5),
            Form(r"\d{1,3}(?:CD|CC|UN)\d{1,4}", (5, 9), 0.45),
            Form(r"[A-Z]{3}\d{4}|[A-Z]{1,2}\d{4}|I\d{5}", (5, 7), 0.2, _has_number),
        ),
        context=words(
            "rto, vehicle, vehicle number, vehicle registration, plate, number plate, registration number, "
            "registration no, regn no, registration, license plate"
        ),
        fields=words("vehicle number, vehicle registration, registration number, number plate, license plate, regn no"),
        field_pattern=r"\d{3}",
        regions=("IN",),
        aliases=("IN_VEHICLE_REGISTRATION",),
    ),
    Detector(
        id="in_nrega",
        title="Indian NREGA job card",
        presets=_PERSON,
        forms=(Form(rf"(?i){_STATE}-\d{{2}}-\d{{3}}-\d{{3}}-\d{{3}}/\d{{1,6}}(?:-?[A-Z])?", (14, 20), 0.8),),
        context=words("nrega, mgnrega, mnrega, job card, job card number, jobcard"),
        fields=words("nrega, mgnrega, job card, job card number"),
        field_pattern=r"\d{3}",
        regions=("IN",),
        aliases=("IN_NREGA",),
    ),
    Detector(
        id="in_driver_license",
        title="Indian driving licence",
        presets=_PERSON,
        forms=(
            Form(rf"(?i){_STATE}[- ]?\d{{2}}[- ]?(?:19|20)\d{{2}}[- ]?\d{{7}}", (15, 15), 0.65),
            Form(rf"(?i){_STATE}[- ]?\d{{1,2}}[A-Z]?[- /]?\d{{4}}[- /]?\d{{5,7}}", (11, 16), 0.3),
        ),
        context=words(
            "driving licence, driving license, driver license, drivers license, driver's license, dl, dl no, "
            "dl number, licence no, license number, sarathi"
        ),
        fields=words("driving licence, driving license, driver license, dl number, =dl"),
        field_pattern=r"\d{4}",
        regions=("IN",),
        aliases=("IN_DRIVER_LICENSE", "IN_DRIVING_LICENSE"),
    ),
)

_NEIGHBOURS: tuple[Detector, ...] = (
    Detector(
        id="pk_cnic",
        title="Pakistani identity card (CNIC)",
        presets=_PERSON,
        forms=(
            Form(r"[1-7]\d{4}-\d{7}-\d", (13, 13), 0.75, bare("pk.cnic")),
            Form(r"[1-7]\d{12}", (13, 13), 0.25, bare("pk.cnic")),
        ),
        context=words("cnic, nic, nadra, nicop, snic, computerized national identity card, شناختی کارڈ"),
        fields=words("cnic, cnic number, nadra, =nic, nicop"),
        field_pattern=r"\d{5}",
        regions=("PK",),
        aliases=("PK_CNIC",),
    ),
    Detector(
        id="bd_nid",
        title="Bangladeshi national identity number",
        presets=_PERSON,
        forms=(Form(r"\d{10}|\d{13}|(?:19|20)\d{15}", (10, 17), 0.25),),
        context=words("nid, bangladesh, bangladeshi nid, national id card, জাতীয় পরিচয়পত্র, এনআইডি"),
        fields=words("=nid, nid number, bangladesh nid"),
        field_pattern=r"\d{6}",
        regions=("BD",),
        aliases=("BD_NID",),
    ),
    Detector(
        id="lk_nic",
        title="Sri Lankan national identity card",
        presets=_PERSON,
        forms=(
            Form(r"(?i)\d{9}[VX]", (10, 10), 0.55, is_sri_lanka_id),
            Form(r"(?:19|20)\d{10}", (12, 12), 0.3, is_sri_lanka_id),
        ),
        context=words("nic, nic number, national identity card, sri lanka, sri lankan"),
        fields=words("=nic, nic number, sri lanka nic"),
        field_pattern=r"\d{6}",
        regions=("LK",),
        aliases=("LK_NIC",),
    ),
)

ROWS: tuple[Detector, ...] = _INDIA + _NEIGHBOURS
