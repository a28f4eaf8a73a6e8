"""Numbers of South and South East Asia, each invented: in which words they are found, and which look-alikes are not."""

from agen_authz.core.masking import Detectors, detect
from tests.core.masking.every import every

# What is typical enough to be found anywhere.
ALONE = [
    ("my_nric", "791026 22 5025"),
    ("in_aadhaar", "9437 0604 1088"),
    ("in_pan", "ULZBZ8790X"),
    ("in_gstin", "03UYILM9638LSZS"),
    ("in_vehicle_registration", "RJ-7-ANQ4617"),
    ("in_vehicle_registration", "22 BH 1208-Q"),
    ("in_vehicle_registration", "12X311810K"),
    ("in_nrega", "AR-29-677-827-513/009022-S"),
    ("in_driver_license", "JK-78-2024 0214545"),
    ("pk_cnic", "43901-5810977-8"),
    ("lk_nic", "650907286V"),
    ("sg_nric", "M6469327U"),
    ("sg_uen", "S09CM8498E"),
    ("sg_uen", "192207503M"),
    ("ph_umid", "4944-1839122-8"),
    ("ph_tin", "490-070-802-380"),
    ("ph_sss", "98-2420533-3"),
    ("ph_philhealth", "39-980657460-9"),
    ("ph_driver_license", "F21-13-054398"),
    ("id_nik", "343931 480854.9382"),
    ("id_npwp", "78.407.799.2-551.366"),
    ("my_nric", "721115-98-2645"),
    ("th_id", "8 1108 26680 01 6"),
    ("th_id", "4753977848247"),
    ("vn_mst", "1828631260-540"),
]

# What is found only next to a word that says what it is.
NAMED = [
    ("in_aadhaar", "aadhaar: 484271589885", "484271589885"),
    ("in_voter", "voter: SIP0451583", "SIP0451583"),
    ("in_voter", "voter: hwt8504367", "hwt8504367"),
    ("in_vehicle_registration", "rto: 5UN49", "5UN49"),
    ("in_vehicle_registration", "rto: I05630", "I05630"),
    ("in_driver_license", "driving licence: SK 17C706632846", "SK 17C706632846"),
    ("pk_cnic", "cnic: 1250619437641", "1250619437641"),
    ("bd_nid", "nid: 20101586956785847", "20101586956785847"),
    ("lk_nic", "nic: 203475245400", "203475245400"),
    ("sg_uen", "uen: 57702602W", "57702602W"),
    ("sg_driver_license", "driving licence: F7880575X", "F7880575X"),
    ("ph_umid", "umid: 188110090621", "188110090621"),
    ("ph_tin", "tin: 877-977-124", "877-977-124"),
    ("ph_tin", "tin: 608172133", "608172133"),
    ("ph_sss", "sss: 7484985791", "7484985791"),
    ("ph_philhealth", "philhealth: 119589177744", "119589177744"),
    ("ph_philsys", "philsys: 5549647575575595", "5549647575575595"),
    ("ph_driver_license", "driver license: G4205527885", "G4205527885"),
    ("id_npwp", "npwp: 279851224623273", "279851224623273"),
    ("th_id", "thai id: 6081436622963", "6081436622963"),
    ("vn_cccd", "cccd: 095070526628", "095070526628"),
    ("vn_cccd", "cccd: 951948076", "951948076"),
    ("vn_mst", "mst: 4257205341", "4257205341"),
]

# What has the form, but a date or a check digit that cannot be.
LOOK_ALIKES = [
    ("in_voter", "voter: HWT8504363"),
    ("in_aadhaar", "aadhaar: 9437 0604 1080"),
    ("in_aadhaar", "aadhaar: 484271589880"),
    ("in_pan", "pan: ULZDZ8790X"),
    ("in_gstin", "gstin: 03UYILM9630LSZS"),
    ("in_vehicle_registration", "rto: 02 BH 1208-Q"),
    ("in_vehicle_registration", "rto: A05630"),
    ("pk_cnic", "cnic: 43901-5810977-0"),
    ("pk_cnic", "cnic: 1250619437640"),
    ("lk_nic", "nic: 650007286V"),
    ("lk_nic", "nic: 203445245400"),
    ("sg_nric", "nric: M6469320U"),
    ("sg_uen", "uen: S09CM8490E"),
    ("sg_uen", "uen: 192207500M"),
    ("sg_uen", "uen: 57702600W"),
    ("ph_tin", "tin: 490-070-800-380"),
    ("ph_tin", "tin: 877-977-120"),
    ("ph_tin", "tin: 608172130"),
    ("id_nik", "nik: 343931 480054.9382"),
    ("id_npwp", "npwp: 78.407.799.0-551.366"),
    ("id_npwp", "npwp: 279851220623273"),
    ("my_nric", "mykad: 721115-94-2645"),
    ("my_nric", "mykad: 791026 20 5025"),
    ("th_id", "thai id: 8 1108 26680 01 0"),
    ("th_id", "thai id: 4753977848240"),
    ("th_id", "thai id: 6081436622960"),
    ("vn_mst", "mst: 1828631261-540"),
    ("vn_mst", "mst: 4257205340"),
]


def _find(name: str, text: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name))]


@every(("name", "value"), ALONE)
def test_a_typical_number_is_found_among_any_words(name: str, value: str) -> None:
    assert _find(name, f"the value {value} was seen") == [value]


@every(("name", "text", "value"), NAMED)
def test_a_plain_number_is_found_next_to_a_word_and_not_without(name: str, text: str, value: str) -> None:
    assert _find(name, text) == [value]
    assert _find(name, f"the value {value} was seen") == []


@every(("name", "text"), LOOK_ALIKES)
def test_a_number_with_a_wrong_digit_is_not_found_even_next_to_a_word(name: str, text: str) -> None:
    assert _find(name, text) == []
