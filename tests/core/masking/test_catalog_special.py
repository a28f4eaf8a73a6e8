"""Special categories of personal data, and crimes."""

from agen_authz.core.masking import Detectors, detect
from agen_authz.core.masking.catalog.special import ROWS
from agen_authz.core.masking.row import Preset, Style
from tests.core.masking.every import every


def _found(name: str, text: str, *path: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name), path=path)]


@every(
    ("name", "key"),
    [
        ("special_category", "religion"),
        ("special_category", "race"),
        ("special_category", "ethnicOrigin"),
        ("special_category", "political_party"),
        ("special_category", "union_membership"),
        ("special_category", "sexualOrientation"),
        ("special_category", "hiv_status"),
        ("special_category", "diagnosis"),
        ("special_category", "isDisability"),
        ("special_category", "bloodType"),
        ("special_category", "dna_profile"),
        ("special_category", "faceTemplate"),
        ("special_category", "Konfession"),
        ("special_category", "gewerkschaft"),
        ("special_category", "Blutgruppe"),
        ("special_category", "behinderung"),
        ("special_category", "appartenance_syndicale"),
        ("special_category", "origine_ethnique"),
        ("special_category", "orientation_sexuelle"),
        ("special_category", "groupe_sanguin"),
        ("special_category", "afiliacion_sindical"),
        ("special_category", "orientacionSexual"),
        ("special_category", "huella_dactilar"),
        ("special_category", "discapacidad"),
        ("special_category", "orientamento_politico"),
        ("special_category", "gruppoSanguigno"),
        ("special_category", "disabilità"),
        ("biometric", "iris_scan"),
        ("criminal_record", "criminalRecord"),
        ("criminal_record", "vorstrafen"),
        ("criminal_record", "casier_judiciaire"),
        ("criminal_record", "antecedentesPenales"),
        ("criminal_record", "precedenti_penali"),
    ],
)
def test_a_member_tells_of_its_value(name: str, key: str) -> None:
    assert _found(name, "true", key) == ["true"]


@every("key", ["race_condition", "health_status", "health", "fingerprint", "party_size", "orientation"])
def test_members_of_machines_are_left(key: str) -> None:
    assert _found("special_category", "true", key) == []


@every(
    ("name", "text", "value"),
    [
        ("special_category", "religion: Catholic", "Catholic"),
        ("special_category", "Ethnicity: Hispanic or Latino, age 40", "Hispanic or Latino"),
        ("special_category", "HIV status: positive", "positive"),
        ("special_category", "blood type: A+", "A+"),
        ("special_category", "political affiliation: Green Party", "Green Party"),
        ("special_category", "Konfession: evangelisch", "evangelisch"),
        ("special_category", "orientation sexuelle : homosexuelle", "homosexuelle"),
        ("special_category", "she was diagnosed with type 2 diabetes in 2019", "type 2 diabetes"),
        ("special_category", "The patient suffers from asthma and", "asthma"),
        ("special_category", "leidet an Depressionen", "Depressionen"),
        ("special_category", "souffre d'asthme", "asthme"),
        ("special_category", "diagnosticada con cáncer de mama", "cáncer de mama"),
        ("special_category", "affetto da diabete mellito", "diabete mellito"),
        ("special_category", "member of the Unite union", "Unite union"),
        ("special_category", "Mitglied der IG Metall", "IG Metall"),
        ("special_category", "afiliada a CCOO", "CCOO"),
        ("special_category", "iscritto alla CGIL", "CGIL"),
        ("special_category", "he is Muslim", "Muslim"),
        ("special_category", "She is a Catholic priest", "Catholic"),
        ("NRP", "member of the Communist Party", "Communist Party"),
        ("criminal_record", "convicted of fraud in 2010", "convicted of fraud in 2010"),
        ("criminal_record", "vorbestraft wegen Diebstahls", "vorbestraft wegen Diebstahls"),
        ("criminal_record", "condamné pour vol", "condamné pour vol"),
        ("criminal_record", "condenado por robo", "condenado por robo"),
        ("criminal_record", "condannato per furto", "condannato per furto"),
        ("criminal_record", "criminal record: two burglaries (2001)", "two burglaries"),
        ("criminal_record", "his convictions are two prior convictions for theft.", "two prior convictions for theft"),
        ("special_category", "the religious belief is Buddhist", "Buddhist"),
        ("special_category", "diagnosis: Type 2 diabetes\nversion: 2.10.3", "Type 2 diabetes"),
    ],
)
def test_words_tell_of_a_value(name: str, text: str, value: str) -> None:
    assert _found(name, text) == [value]


@every(
    ("name", "text"),
    [
        ("special_category", "race: condition found"),
        ("special_category", "The service suffers from high latency"),
        ("special_category", "member of the European Union"),
        ("special_category", "religion: [SPECIAL_CATEGORY]"),
        ("special_category", "the Muslim quarter"),
        ("special_category", "religion: \nversion of the form"),
        ("criminal_record", "criminal record:\nnext line"),
        ("criminal_record", "charged with a fee of 5"),
        ("criminal_record", "your card was charged with $5"),
    ],
)
def test_what_only_looks_like_it_is_left(name: str, text: str) -> None:
    assert _found(name, text) == []


def test_they_are_dropped_and_not_in_the_preset_of_persons() -> None:
    assert {row.style for row in ROWS} == {Style.DROP}
    assert not any(Preset.PII in row.presets for row in ROWS)


@every(
    ("value", "is_one"),
    [
        ("Rk1SACAyMAAAAADkAAABPAFiAMUAxQEAAAAoI0CdAIKvAEClAKKxAECyALCeAA==", True),
        ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", False),
        ("SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDgkUd9QHdmyBv6t8w", False),
        ("uNiVztksCsDhcc0u9e8BgrJXVGDgkUd9QHdmyBv6t8w=", False),
        ("{{ default }}", False),
    ],
)
def test_a_member_that_is_only_named_fingerprint_is_one_if_it_is_long(value: str, is_one: bool) -> None:
    found = detect(value, Detectors.of("fingerprint"), path=("user", "fingerprint"))

    assert [value[each.start : each.end] for each in found] == [value] * is_one
