"""Numbers of health care: published examples of CMS, and invented ones."""

from agen_authz.core.masking import Detectors, detect
from agen_authz.core.masking.catalog.health import ROWS, is_dea, is_npi
from agen_authz.core.masking.row import Preset
from tests.core.masking.every import every


def _found(name: str, text: str, *path: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name), path=path)]


@every(
    ("name", "text", "value"),
    [
        ("npi", "1234-567-893", "1234-567-893"),
        ("npi", "NPI 1234567893", "1234567893"),
        ("npi", "rendering provider: 1245319599", "1245319599"),
        ("dea_number", "BB1388568", "BB1388568"),
        ("dea_number", "DEA: AB 1234563", "AB 1234563"),
        ("medical_license", "BB1388568", "BB1388568"),
        ("medical_license", "medical license no. A-123456", "A-123456"),
        ("MEDICAL_LICENSE", "GMC number 7654321", "7654321"),
        ("mbi", "1EG4-TE5-MK73", "1EG4-TE5-MK73"),
        ("mbi", "1EG4TE5MK73", "1EG4TE5MK73"),
        ("mbi", "medicare 1eg4te5mk73", "1eg4te5mk73"),
        ("hicn", "123-45-6789A", "123-45-6789A"),
        ("hicn", "medicare 123456789B1", "123456789B1"),
        ("hicn", "railroad retirement, HICN WA-123456", "WA-123456"),
        ("ndc", "12345-6789-01", "12345-6789-01"),
        ("ndc", "NDC 0777-3105-02", "0777-3105-02"),
        ("ndc", "drug code 50242-040-62", "50242-040-62"),
        ("diagnosis_code", "diagnosis: E11.9", "E11.9"),
        ("diagnosis_code", "ICD-10 code I10", "I10"),
        ("diagnosis_code", "Dx: F32.1, Z79.4", "F32.1, Z79.4"),
        ("diagnosis_code", "S72.001A was the diagnosis", "S72.001A"),
        ("procedure_code", "CPT code 99213-25", "99213-25"),
        ("procedure_code", "HCPCS J1100", "J1100"),
        ("health_plan_number", "member id: XYZ123456789", "XYZ123456789"),
        ("health_plan_number", "insurance, subscriber ABC-99887766", "ABC-99887766"),
        ("health_plan_number", "Versichertennummer: A123456780", "A123456780"),
        ("claim_number", "CLM-20231234", "CLM-20231234"),
        ("claim_number", "claim no. 123456789", "123456789"),
        ("claim_number", "123456789012 is on the claim", "123456789012"),
        ("prescription_number", "RX-1234567", "RX-1234567"),
        ("prescription_number", "Rx# 7654321", "7654321"),
        ("prescription_number", "prescription number is 7654321", "7654321"),
        ("prior_authorization", "prior authorization PA123456789", "PA123456789"),
        ("prior_authorization", "prior auth #: 987654", "987654"),
        ("referral_number", "referral number REF-123456", "REF-123456"),
        ("referral_number", "referral: INF1234567", "INF1234567"),
        ("medical_record_number", "MRN: 00123456", "00123456"),
        ("medical_record_number", "MRN0012345", "MRN0012345"),
        ("medical_record_number", "Patient ID P-12345", "P-12345"),
        ("medical_record_number", "Patientennummer: 4711-23", "4711-23"),
        ("medical_record_number", "numéro de dossier 456789", "456789"),
        ("medical_record_number", "historia clínica nº 456789", "456789"),
        ("medical_record_number", "cartella clinica: 2024/00123", "2024/00123"),
    ],
)
def test_a_number_is_found(name: str, text: str, value: str) -> None:
    assert _found(name, text) == [value]


@every(
    ("name", "text"),
    [
        ("npi", "1234567893"),
        ("npi", "NPI 1234567894"),
        ("npi", "NPI 3234567893"),
        ("dea_number", "BB1388567"),
        ("dea_number", "DEA II1388568"),
        ("medical_license", "BB1388567"),
        ("mbi", "1EG4-TE5-MK7"),
        ("mbi", "1SG4TE5MK73"),
        ("hicn", "123-45-6789"),
        ("ndc", "12345678901"),
        ("diagnosis_code", "see A10.25 on the map"),
        ("procedure_code", "99213"),
        ("health_plan_number", "ABC-99887766"),
        ("claim_number", "123456789"),
        ("claim_number", "claim of 2024-01-15"),
        ("prescription_number", "prescription for 30 days"),
        ("prior_authorization", "authorization: none"),
        ("referral_number", "referral on 01/15/2024"),
        ("medical_record_number", "patient id is missing"),
        ("medical_record_number", "00123456"),
    ],
)
def test_other_numbers_are_none(name: str, text: str) -> None:
    assert _found(name, text) == []


@every(
    ("name", "member", "value"),
    [
        ("npi", "providerNpi", "1234567894"),
        ("medical_record_number", "mrn", "A7"),
        ("medical_record_number", "patient_id", "2f0c"),
        ("diagnosis_code", "diagnosis", "type 2 diabetes"),
        ("procedure_code", "cptCode", "99213"),
        ("health_plan_number", "memberId", "XYZ123"),
        ("claim_number", "claim_number", "12345"),
    ],
)
def test_a_member_tells_what_is_in_it(name: str, member: str, value: str) -> None:
    assert _found(name, value, member) == [value]


def test_every_number_is_in_the_preset_for_health() -> None:
    assert all(Preset.PHI in row.presets for row in ROWS)


def test_the_check_digits_are_computed_as_published() -> None:
    assert is_npi("1234567893")
    assert is_dea("AB1234563")
