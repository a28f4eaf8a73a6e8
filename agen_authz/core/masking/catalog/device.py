"""Numbers of devices and vehicles: what HIPAA calls device and vehicle identifiers, and GDPR online identifiers."""

from agen_authz.core.masking.check import digits_of, passes_luhn, stdnum
from agen_authz.core.masking.gap import GAP, before
from agen_authz.core.masking.national import words
from agen_authz.core.masking.row import Detector, Form, Label, Preset

_DEVICE = frozenset((Preset.PHI, Preset.GDPR))
_VEHICLE = frozenset((Preset.PII, Preset.PHI, Preset.GDPR))

# What each letter of a VIN is worth (49 CFR 565.15).
_VIN_WORTH = {
    letter: int(worth) for letter, worth in zip("ABCDEFGHJKLMNPRSTUVWXYZ", "12345678123457923456789", strict=True)
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_CHARS = "[A-HJ-NPR-Z0-9]"
# Makers in North America and China must give a check digit, others need not.
_CHECKED_VINS = frozenset("12345L")
_UUID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"


def is_imei(value: str) -> bool:
    """True if the last digit is right (Luhn, 3GPP TS 23.003), and the number is not all zeros."""
    digits = digits_of(value)
    return passes_luhn(digits) and len(set(digits)) > 1


def is_vin(value: str) -> bool:
    """True if the ninth character is the check digit of the others, and the number has letters and digits."""
    vin = value.upper()
    if vin.isdigit() or vin.isalpha():
        return False
    total = sum(
        weight * (int(each) if each.isdigit() else _VIN_WORTH.get(each, 0))
        for each, weight in zip(vin, _VIN_WEIGHTS, strict=True)
    )
    return vin[8] == "0123456789X"[total % 11]


def _may_be_vin(value: str) -> bool:
    vin = value.upper()
    if vin[0] in _CHECKED_VINS:
        return is_vin(vin)
    return vin[:3].isalnum() and not vin.isdigit() and sum(each.isdigit() for each in vin) >= 3 and vin[0] != "0"


def is_mac(value: str) -> bool:
    """True if it is the address of one device, and not a part of a longer row of bytes such as a fingerprint."""
    pairs = "".join(each for each in value if each.isalnum()).lower()
    if len(pairs) not in (12, 16) or len(set(pairs)) < 2:
        return False
    # Groups of four digits are many things.
    return "." not in value or (not pairs.isdigit() and not pairs.isalpha())


def _is_plate(value: str) -> bool:
    return any(each.isdigit() for each in value) and 4 <= sum(each.isalnum() for each in value) <= 9


IMEI = Detector(
    id="imei",
    title="numbers of mobile telephones (IMEI, IMEISV)",
    presets=_DEVICE,
    forms=(
        Form(
            r"\d{2}[ -]\d{6}[ -]\d{6}[ -]\d|\d{8}[ -]\d{6}[ -]\d|\d{6}[ -]\d{2}[ -]\d{6}[ -]\d", (15, 15), 0.6, is_imei
        ),
        Form(r"(?:01|35|86|99)\d{13}", (15, 15), 0.55, is_imei),
        Form(r"\d{15}", (15, 15), 0.4, is_imei),
        Form(r"\d{2}-\d{6}-\d{6}-\d{2}|\d{16}", (16, 16), 0.2),
    ),
    context=words("imei, imeis, imeisv, imei1, imei2, handset, device id, mobile equipment, phone serial"),
    fields=words("imei, imeis, imeisv, imei number"),
    field_pattern=r"(?:\d\D?){14}",
    aliases=("IMEI",),
)

IMSI = Detector(
    id="imsi",
    title="numbers of subscribers of mobile networks (IMSI)",
    presets=_DEVICE,
    forms=(
        Form(r"[2-7]\d{2}[ -]\d{2,3}[ -]\d{9,10}", (14, 15), 0.4, stdnum("imsi")),
        Form(r"[2-7]\d{13,14}", (14, 15), 0.25),
    ),
    context=words("imsi, imsis, subscriber identity, sim card, mcc, supi"),
    fields=words("imsi, imsis, imsi number, supi"),
    field_pattern=r"(?:\d\D?){14}",
    aliases=("IMSI",),
)

VIN = Detector(
    id="vin",
    title="numbers of vehicles (VIN)",
    presets=_VEHICLE,
    forms=(
        Form(rf"{_VIN_CHARS}{{17}}", (17, 17), 0.65, is_vin),
        Form(rf"(?i){_VIN_CHARS}{{17}}", (17, 17), 0.4, _may_be_vin),
    ),
    context=words(
        "vin, vins, vehicle identification, vehicle, chassis, chassis number, car, truck, fahrgestellnummer, fin, "
        "fahrzeug, numéro de série, châssis, bastidor, telaio, numero di telaio"
    ),
    fields=words(
        "vin, vin number, vehicle identification number, chassis number, fahrgestellnummer, numero chassis, bastidor, "
        "numero telaio"
    ),
    field_pattern=r"[A-Za-z0-9]{11}",
    aliases=("VIN", "VEHICLE_IDENTIFICATION_NUMBER"),
)

MAC_ADDRESS = Detector(
    id="mac_address",
    title="addresses of network cards (MAC, EUI-64)",
    presets=_DEVICE,
    direct=(
        # As many bytes as there are, so that the first six of a fingerprint are not taken for an address.
        Form(r"\b[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5,63}|(?:-[0-9A-Fa-f]{2}){5,63})\b", (0, 0), 0.7, is_mac),
        Form(r"\b[0-9A-Fa-f]{4}(?:\.[0-9A-Fa-f]{4}){2,7}\b", (0, 0), 0.7, is_mac),
    ),
    forms=(Form(r"[0-9A-Fa-f]{12}", (12, 12), 0.2),),
    context=words(
        "mac, mac address, macaddr, hwaddr, ether, ethernet, hardware address, physical address, wlan, bssid"
    ),
    fields=words("mac, mac address, mac addr, macaddress, hwaddr, hardware address, bssid, ethernet address"),
    field_pattern=r"(?:[0-9A-Fa-f]{2}\W?){6}",
    aliases=("MAC_ADDRESS", "macAddress"),
)

UUID = Detector(
    id="uuid",
    title="UUIDs",
    presets=frozenset(),
    direct=(Form(rf"\b{_UUID}\b", (0, 0), 0.7),),
    context=words("uuid, guid, unique identifier"),
    fields=words("=uuid, =guid"),
    field_pattern=r"[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}-",
    aliases=("UUID", "GUID"),
)

_AD_WORDS = words(
    "idfa, idfv, gaid, aaid, adid, advertising id, advertising identifier, ad id, google advertising id, "
    "identifier for advertisers, maid, mobile ad id, rdid, oaid, werbe-id"
)

AD_ID = Detector(
    id="ad_id",
    title="advertising identifiers of devices, next to a word that says so",
    presets=_DEVICE,
    labels=(
        Label(_AD_WORDS, GAP + rf"({_UUID}|[0-9A-Fa-f]{{32}})\b", 0.7),
        before(_AD_WORDS, rf"{_UUID}|[0-9A-Fa-f]{{32}}", 0.7, reach=72),
    ),
    context=words("advertising, idfa, gaid, aaid"),
    fields=words("idfa, idfv, gaid, aaid, adid, advertising id, advertising identifier, ad id, maid, oaid"),
    field_pattern=r"[0-9A-Fa-f]{8}-?[0-9A-Fa-f]{4}",
    aliases=("AD_ID", "ADVERTISING_ID"),
)

DEVICE_SERIAL = Detector(
    id="device_serial",
    title="serial numbers of devices, next to a word that says so",
    presets=frozenset((Preset.PHI,)),
    labels=(
        Label(
            words(
                "device serial, device serial number, device id, device identifier, serial number, serial no, "
                "pacemaker serial, implant serial, implant id, udi, device udi, iccid, meid, seriennummer, "
                "numéro de série, numero de serie, número de serie, numero di serie"
            ),
            GAP + r"((?:[A-Z]{1,5}[ -]?)?\d[A-Z0-9]*(?:-[A-Z0-9]+){0,4}|[A-Z]{1,4}\d[A-Z0-9]{3,20})\b",
            0.55,
            check=lambda value: sum(each.isalnum() for each in value) >= 5,
        ),
    ),
    context=words("device, pacemaker, implant, implanted, insulin pump, monitor, patient"),
    fields=words("device serial, device serial number, device id, device identifier, implant serial, udi, iccid, meid"),
    field_pattern=r"\d",
    aliases=("DEVICE_ID", "DEVICE_SERIAL"),
)

_PLATE_WORDS = words(
    "license plate, licence plate, number plate, plate number, plate no, plate, registration plate, "
    "vehicle registration, car registration, reg plate, tag number, vrn, vrm, kennzeichen, kfz-kennzeichen, "
    "nummernschild, plaque d'immatriculation, immatriculation, matrícula, matricula, placa, targa, kenteken, "
    "tablica rejestracyjna, numer rejestracyjny"
)
_PLATE = r"[A-Z0-9]{1,8}(?:[ -][A-Z0-9]{1,5}){0,3}"

LICENSE_PLATE = Detector(
    id="license_plate",
    title="number plates of vehicles of any country, next to a word that says so",
    presets=_VEHICLE,
    labels=(
        Label(_PLATE_WORDS, GAP + rf"({_PLATE})\b", 0.55, check=_is_plate),
        before(_PLATE_WORDS, r"[A-Z0-9]{1,8}+(?:[ -][A-Z0-9]{1,5}+){0,3}+", 0.55, check=_is_plate),
    ),
    context=words("vehicle, car, truck, parked, driver, fahrzeug, auto, voiture, coche, macchina, veicolo"),
    fields=words(
        "license plate, licence plate, number plate, plate number, plate no, =plate, registration plate, "
        "vehicle registration, kennzeichen, immatriculation, matricula, placa, targa, kenteken"
    ),
    field_pattern=r"\d",
    aliases=("LICENSE_PLATE", "VEHICLE_REGISTRATION"),
)

ROWS = (IMEI, IMSI, VIN, MAC_ADDRESS, UUID, AD_ID, DEVICE_SERIAL, LICENSE_PLATE)
