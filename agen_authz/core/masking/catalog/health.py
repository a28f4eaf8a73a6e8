"""Numbers of health care: patients and what they are insured by, prescribers, drugs, diagnoses and procedures.

Most are given by a hospital or an insurer in a form that no one else has, so that only a word next to them tells;
HIPAA's Safe Harbor (45 CFR 164.514(b)(2)) names them anyway. The US insurers' numbers, CMS's and the DEA's, have forms.
"""

import re

from agen_authz.core.masking.check import digits_of, passes_luhn
from agen_authz.core.masking.gap import GAP, around
from agen_authz.core.masking.national import weigh, words
from agen_authz.core.masking.row import Check, Detector, Form, Label, Preset

_PHI = frozenset((Preset.PHI,))
_PATIENT = frozenset((Preset.PHI, Preset.PII, Preset.GDPR))

# Letters of Medicare numbers: those that look like digits are left out.
_MBI_LETTER = "[AC-HJKMNP-RT-Y]"
_MBI_EITHER = "[AC-HJKMNP-RT-Y0-9]"
# Who is insured by another's number (HICN): the wage earner, a spouse, a child, a widow, a parent.
_HICN_SUFFIX = r"(?:A|B[0-9A-Z]?|C[1-9A-Z]|D[0-9A-Z]?|E[0-9A-Z]?|F[1-8]|J[1-4]|K[1-9A-Z]|M1?|T[A-Z2-9]?|W[0-9A-Z]?)"
_NDC = r"\d{5}-\d{4}-\d{2}|\d{4}-\d{4}-\d{2}|\d{5}-\d{3}-\d{2}|\d{5}-\d{4}-\d"
_ICD = r"[A-TV-Z]\d[0-9A-Z](?:\.?[0-9A-Z]{1,4})?"
_DATE = re.compile(r"(?:19|20)\d\d[-/]\d\d?[-/]\d\d?|\d\d?[-/]\d\d?[-/](?:\d\d){1,2}")
_CPT = r"(?:\d{4}[0-9FTU]|[A-V]\d{4})(?:-[0-9A-Z]{2})?"
_DEA = r"[ABCDEFGHJKLMPRSTUX][A-Z9]\d{7}"
# A number that an office makes up: letters in front, digits, groups.
_GIVEN = r"(?:[A-Z]{1,5}[ -]?|[a-z]{1,3}-?)?\d[A-Z0-9]*(?:[-/][A-Z0-9]+){0,4}"


def is_npi(value: str) -> bool:
    """True if the last digit is right: Luhn, with 80840 in front (45 CFR 162.406)."""
    return passes_luhn("80840" + digits_of(value))


def is_dea(value: str) -> bool:
    """True if the last digit is that of the sum of digits 1, 3, 5 and twice the digits 2, 4, 6."""
    digits = digits_of(value)
    return weigh(digits, (1, 2, 1, 2, 1, 2)) % 10 == int(digits[6])


def _is_licence(value: str) -> bool:
    """True if a number is long enough; one that looks like a registration with the DEA must pass its check."""
    return _has_chars(5)(value) and (re.fullmatch(_DEA, value) is None or is_dea(value))


def _has_chars(least: int) -> Check:
    """Make a check that a number is long enough to be one, and no date."""

    def check(value: str) -> bool:
        return sum(each.isalnum() for each in value) >= least and _DATE.fullmatch(value) is None

    return check


NPI = Detector(
    id="npi",
    title="US national provider identifiers",
    presets=_PHI,
    forms=(
        Form(r"[12]\d{3}[ -]\d{3}[ -]\d{3}", (10, 10), 0.55, is_npi),
        Form(r"[12]\d{9}", (10, 10), 0.4, is_npi),
    ),
    context=words(
        "npi, npis, national provider, provider id, provider identifier, provider number, provider, taxonomy, nppes, "
        "prescriber, physician, doctor, clinician, rendering, referring"
    ),
    fields=words("npi, national provider identifier, provider npi, npi number"),
    field_pattern=r"(?:\d\D?){10}",
    regions=("US",),
    aliases=("US_NPI", "us_npi"),
)

DEA_NUMBER = Detector(
    id="dea_number",
    title="US registrations of prescribers with the DEA",
    presets=_PHI,
    forms=(
        Form(_DEA, (9, 9), 0.6, is_dea),
        Form(r"(?i)[ABCDEFGHJKLMPRSTUX][A-Z9][ -]?\d{7}(?:-[A-Z0-9]{1,6})?", (9, 15), 0.4, is_dea),
    ),
    context=words("dea, dea number, drug enforcement, prescriber, registration, controlled substance, practitioner"),
    fields=words("dea, dea number, dea no, dea registration, dea license"),
    field_pattern=r"\d{7}",
    regions=("US",),
    aliases=("DEA_NUMBER", "us_dea", "US_DEA"),
)

MEDICAL_LICENSE = Detector(
    id="medical_license",
    title="licences of doctors and nurses, registrations with the DEA included",
    presets=_PHI,
    forms=(Form(_DEA, (9, 9), 0.55, is_dea),),
    labels=(
        *around(
            words(
                "medical license, medical licence, physician license, physician licence, nursing license, rn license, "
                "doctor license, medical certificate, medical lic, license to practice, gmc, gmc number, "
                "gmc reference, nmc pin, approbation, arztnummer, rpps, numéro rpps, numero rpps, numéro adeli, "
                "número de colegiado, numero de colegiado, ordine dei medici"
            ),
            _GIVEN,
            0.6,
            check=_is_licence,
        ),
    ),
    context=words("medical, certificate, dea, physician, doctor, nurse, prescriber, licensure, practitioner, license"),
    fields=words("medical license, medical licence, medical license number, physician license, nursing license"),
    field_pattern=r"\d{4}",
    aliases=("medicalLicense", "MEDICAL_LICENSE"),
)

MBI = Detector(
    id="mbi",
    title="US Medicare beneficiary identifiers",
    presets=_PATIENT,
    forms=(
        Form(
            rf"[1-9]{_MBI_LETTER}{_MBI_EITHER}\d[ -]?{_MBI_LETTER}{_MBI_EITHER}\d[ -]?{_MBI_LETTER}{{2}}\d{{2}}",
            (11, 11),
            0.8,
        ),
        Form(
            rf"(?i)[1-9]{_MBI_LETTER}{_MBI_EITHER}\d[ -]?{_MBI_LETTER}{_MBI_EITHER}\d[ -]?{_MBI_LETTER}{{2}}\d{{2}}",
            (11, 11),
            0.4,
        ),
    ),
    context=words("mbi, medicare, beneficiary, cms, medicaid, hic, hicn, member id"),
    fields=words("mbi, medicare number, medicare id, medicare beneficiary identifier, medicare beneficiary"),
    field_pattern=r"\d",
    regions=("US",),
    aliases=("US_MBI", "us_mbi"),
)

HICN = Detector(
    id="hicn",
    title="US health insurance claim numbers, of Medicare until 2019 and of railroad workers",
    presets=_PATIENT,
    forms=(
        Form(rf"\d{{3}}-\d{{2}}-\d{{4}}-?{_HICN_SUFFIX}", (10, 11), 0.55),
        Form(rf"\d{{9}}-?{_HICN_SUFFIX}", (10, 11), 0.4),
        Form(r"(?:MA|WA|WD|CA|PA|JA|MH|PH|WH|PD|WCA|WCD|WCH|A|H)-?(?:\d{6}|\d{9}|\d{3}-\d{2}-\d{4})", (7, 12), 0.2),
    ),
    context=words("hicn, hic, health insurance claim, medicare, claim number, beneficiary, railroad retirement"),
    fields=words("hicn, hic number, health insurance claim number, medicare claim number"),
    field_pattern=r"\d{4}",
    regions=("US",),
    aliases=("US_HICN", "us_hicn"),
)

NDC = Detector(
    id="ndc",
    title="US national drug codes",
    presets=_PHI,
    forms=(
        Form(r"\d{5}-\d{4}-\d{2}", (11, 11), 0.5),
        Form(_NDC, (10, 10), 0.45),
        Form(r"\d{10,11}", (10, 11), 0.2),
    ),
    context=words("ndc, ndcs, national drug, drug code, drug, medication, dispensed, pharmacy, rx, tablet, capsule"),
    unlike=words("phone, tel, zip, account"),
    fields=words("ndc, ndc code, national drug code, drug code"),
    field_pattern=r"\d{4}",
    regions=("US",),
    aliases=("US_NDC", "us_ndc"),
)

DIAGNOSIS_CODE = Detector(
    id="diagnosis_code",
    title="codes of diagnoses (ICD-10), next to a word that says so",
    presets=_PHI,
    forms=(Form(r"[A-TV-Z]\d[0-9A-Z]\.[0-9A-Z]{2,4}", (5, 7), 0.2),),
    labels=(
        *around(
            words(
                "icd, icd10, icd-10, icd-10-cm, icd 10 cm, icd10cm, icd-10-gm, cim-10, cie-10, diagnosis, diagnoses, "
                "diagnosis code, dx, dx code, diagnosecode, diagnoseschlüssel, diagnose, diagnostic, diagnóstico, "
                "diagnostico, diagnosi"
            ),
            rf"{_ICD}(?:, ?{_ICD}){{0,9}}",
            0.6,
        ),
    ),
    context=words("icd, icd10, diagnosis, diagnoses, dx, diagnostic, diagnose"),
    fields=words(
        "diagnosis, diagnoses, diagnosis code, diagnosis codes, icd, icd code, icd codes, primary diagnosis, dx code, "
        "diagnosecode, diagnose, diagnostico, diagnosi"
    ),
    aliases=("ICD10", "ICD_CODE"),
)

PROCEDURE_CODE = Detector(
    id="procedure_code",
    title="codes of procedures (CPT, HCPCS), next to a word that says so",
    presets=_PHI,
    labels=(
        *around(
            words("cpt, cpt code, cpt codes, hcpcs, hcpcs code, procedure code, procedure codes, cpt-4"),
            rf"{_CPT}(?:, ?{_CPT}){{0,9}}",
            0.6,
        ),
    ),
    context=words("cpt, hcpcs, procedure, billed, modifier"),
    fields=words("cpt, cpt code, cpt codes, hcpcs, hcpcs code, procedure code, procedure codes"),
    field_pattern=r"\d{4}",
    aliases=("CPT_CODE",),
)

HEALTH_PLAN_NUMBER = Detector(
    id="health_plan_number",
    title="numbers of members of health plans, next to a word that says so",
    presets=_PATIENT,
    forms=(Form(r"(?i)[A-Z]{1,5}-?\d[A-Z0-9]{4,13}|[A-Z]{3}-?[A-Z0-9]{6,12}", (6, 20), 0.2),),
    labels=(
        *around(
            words(
                "member id, member number, member no, membership number, subscriber id, subscriber number, "
                "insurance id, insurance number, insurance no, insurance policy, policy number, policy no, policy id, "
                "policy, health plan, health plan number, plan id, group number, beneficiary number, beneficiary id, "
                "medicaid id, medicaid number, medicaid, health insurance number, insured id, versichertennummer, "
                "versicherungsnummer, krankenversicherungsnummer, versicherten-nr, numéro d'adhérent, "
                "numero d'adherent, numéro d'assuré, número de afiliado, numero de afiliado, número de póliza, "
                "numero de poliza, numero di polizza, polisnummer"
            ),
            _GIVEN,
            0.55,
            check=_has_chars(6),
        ),
    ),
    context=words(
        "member, subscriber, insurance, health plan, insured, beneficiary, medicaid, payer, insurer, coverage"
    ),
    unlike=words("team member, crew member, retention policy, security policy, privacy policy, iam policy"),
    fields=words(
        "member id, member number, member no, subscriber id, subscriber number, insurance id, insurance number, "
        "insurance policy, policy number, policy no, health plan, health plan number, health plan id, group number, "
        "medicaid id, medicaid number, beneficiary id, beneficiary number, insured id, versichertennummer, "
        "versicherungsnummer, krankenversicherungsnummer, numero adherent, numero de afiliado, numero poliza"
    ),
    field_pattern=r"\d{3}",
    aliases=("US_HEALTH_INSURANCE_MEMBER_ID", "us_health_insurance_member_id"),
)


def _given(prefixes: str, sizes: tuple[int, int], score: float) -> Form:
    """Make the form of a number with a customary prefix."""
    return Form(rf"(?i)(?:{prefixes})[ #-]?\d{{{sizes[0]},{sizes[1]}}}", (sizes[0] + 2, sizes[1] + 5), score)


CLAIM_NUMBER = Detector(
    id="claim_number",
    title="numbers of insurance claims, next to a word that says so",
    presets=_PATIENT,
    forms=(_given("CLM", (6, 15), 0.6), Form(r"\d{6,15}", (6, 15), 0.15)),
    labels=(
        *around(
            words(
                "claim number, claim no, claim id, claim #, claim num, medical claim, healthcare claim, claim, "
                "claim reference, claim control number, icn, dcn, schadennummer, schaden-nr, numéro de sinistre, "
                "numero de sinistre, número de siniestro, numero de siniestro, numero di sinistro"
            ),
            _GIVEN,
            0.55,
            check=_has_chars(6),
        ),
    ),
    context=words("claim, claims, billing, eob, explanation of benefits, adjudication"),
    fields=words("claim number, claim no, claim id, claim num, claim reference, claim control number, schadennummer"),
    field_pattern=r"\d{3}",
    aliases=("US_CLAIM_NUMBER", "us_claim_number"),
)

PRESCRIPTION_NUMBER = Detector(
    id="prescription_number",
    title="numbers of prescriptions, next to a word that says so",
    presets=_PATIENT,
    forms=(_given("RX", (6, 12), 0.6),),
    labels=(
        *around(
            words(
                "rx, rx number, rx no, rx id, prescription, prescription number, prescription no, prescription id, "
                "script number, rezeptnummer, rezept-nr, numéro d'ordonnance, numero d'ordonnance, número de receta, "
                "numero de receta, numero ricetta, numero di ricetta"
            ),
            _GIVEN,
            0.55,
            check=_has_chars(6),
        ),
    ),
    context=words("prescription, pharmacy, medication, refill, rx"),
    fields=words("rx number, rx no, rx id, prescription number, prescription no, prescription id, rezeptnummer"),
    field_pattern=r"\d{3}",
    aliases=("US_PRESCRIPTION_NUMBER", "us_prescription_number"),
)

PRIOR_AUTHORIZATION = Detector(
    id="prior_authorization",
    title="numbers of prior authorisations by health plans, next to a word that says so",
    presets=_PATIENT,
    forms=(_given("PA|AUTH", (6, 12), 0.4),),
    labels=(
        *around(
            words(
                "prior authorization, prior authorisation, prior authorization number, prior auth, prior auth number, "
                "preauthorization, preauthorization number, pre-authorization, preauth, pre-auth, "
                "authorization number, authorization no, authorization id, auth number, auth no, precertification, "
                "precert, precertification number, approval number"
            ),
            _GIVEN,
            0.55,
            check=_has_chars(6),
        ),
        Label(("authorization", "auth"), GAP + r"((?:PA-?)?\d{6,12})\b", 0.25),
    ),
    context=words("prior auth, authorization, preauthorization, approval, approved, payer, insurer"),
    fields=words(
        "prior authorization, prior authorization number, prior auth, prior auth number, authorization number, "
        "auth number, preauthorization number, preauth number, precert number"
    ),
    field_pattern=r"\d{3}",
    aliases=("US_PRIOR_AUTHORIZATION_NUMBER", "us_prior_authorization_number"),
)

REFERRAL_NUMBER = Detector(
    id="referral_number",
    title="numbers of referrals, next to a word that says so",
    presets=_PATIENT,
    forms=(_given("REF|INF|RFL", (6, 12), 0.3),),
    labels=(
        *around(
            words(
                "referral, referral number, referral no, referral id, infusion referral, referral auth, "
                "überweisungsnummer, ueberweisungsnummer"
            ),
            _GIVEN,
            0.6,
            check=_has_chars(6),
        ),
    ),
    context=words("referral, infusion, specialty, referring, referred, specialist"),
    fields=words("referral number, referral no, referral id"),
    field_pattern=r"\d{3}",
    aliases=("US_REFERRAL_NUMBER", "us_referral_number"),
)

MEDICAL_RECORD_NUMBER = Detector(
    id="medical_record_number",
    title="numbers of patients and their records in hospitals, next to a word that says so",
    presets=_PATIENT,
    forms=(Form(r"(?i)MRN-?\d{5,12}", (8, 15), 0.7),),
    labels=(
        *around(
            words(
                "mrn, mrns, medical record, medical record number, medical record no, medical record id, mr no, mr#, "
                "med rec, med rec no, patient id, patient number, patient no, patient identifier, chart number, "
                "chart no, hospital number, hospital id, encounter number, encounter id, admission number, "
                "visit number, unit number, health record, health record number, ehr number, emr number, "
                "accession number, patientennummer, patienten-nr, patienten-id, patientenaktennummer, fallnummer, "
                "aktenzeichen patient, krankenaktennummer, aufnahmenummer, numéro de dossier, numero de dossier, "
                "numéro de patient, numero de patient, numéro patient, numéro de dossier médical, "
                "numero de dossier medical, dossier médical, dossier medical, dossier patient, ipp, "
                "identifiant patient, número de historia clínica, numero de historia clinica, historia clínica, "
                "historia clinica, historial médico, número de paciente, numero de paciente, expediente médico, "
                "expediente clínico, numero di cartella clinica, cartella clinica, numero cartella clinica, "
                "numero paziente, id paziente, nosologico, numero nosologico"
            ),
            _GIVEN,
            0.6,
            check=_has_chars(4),
        ),
    ),
    context=words(
        "mrn, medical record, patient, hospital, admitted, clinic, chart, krankenhaus, patientin, hôpital, hopital, "
        "paciente, paziente, ospedale"
    ),
    fields=words(
        "mrn, medical record, medical record number, medical record no, medical record id, patient id, "
        "patient number, patient no, patient identifier, patient mrn, chart number, chart no, hospital number, "
        "encounter number, encounter id, admission number, visit number, accession number, patientennummer, "
        "patienten id, fallnummer, krankenaktennummer, numero de dossier, numero dossier, numero patient, ipp, "
        "identifiant patient, historia clinica, numero de historia clinica, numero paciente, cartella clinica, "
        "numero cartella clinica, id paziente, numero paziente"
    ),
    field_pattern=r"\d",
    aliases=("MEDICAL_RECORD_NUMBER", "MRN", "mrn", "US_MEDICAL_RECORD_NUMBER"),
)

ROWS = (
    NPI, DEA_NUMBER, MEDICAL_LICENSE, MBI, HICN, NDC, DIAGNOSIS_CODE, PROCEDURE_CODE, HEALTH_PLAN_NUMBER, CLAIM_NUMBER,
    PRESCRIPTION_NUMBER, PRIOR_AUTHORIZATION, REFERRAL_NUMBER, MEDICAL_RECORD_NUMBER,
)  # fmt: skip
