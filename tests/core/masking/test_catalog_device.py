"""Numbers of devices and vehicles: examples of the standards, and invented ones."""

from agen_authz.core.masking import Detectors, detect
from agen_authz.core.masking.catalog.device import ROWS, is_imei, is_mac, is_vin
from tests.core.masking.every import every


def _found(name: str, text: str, *path: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name), path=path)]


@every(
    ("name", "text", "value"),
    [
        ("imei", "35-209900-176148-1", "35-209900-176148-1"),
        ("imei", "352099001761481", "352099001761481"),
        ("imei", "IMEI 490154203237518", "490154203237518"),
        ("imei", "IMEISV: 35-209900-176148-23", "35-209900-176148-23"),
        ("imsi", "IMSI 310150123456789", "310150123456789"),
        ("vin", "1M8GDM9AXKP042788", "1M8GDM9AXKP042788"),
        ("vin", "vin 1hgcm82633a004352", "1hgcm82633a004352"),
        ("vin", "chassis WVWZZZ1JZXW000001", "WVWZZZ1JZXW000001"),
        ("mac_address", "00:1A:2b:3C:4D:5E", "00:1A:2b:3C:4D:5E"),
        ("mac_address", "on 00-1a-2b-3c-4d-5e now", "00-1a-2b-3c-4d-5e"),
        ("mac_address", "001A.2B3C.4D5E", "001A.2B3C.4D5E"),
        ("mac_address", "hwaddr 001a2b3c4d5e", "001a2b3c4d5e"),
        ("mac_address", "00:1a:2b:ff:fe:3c:4d:5e", "00:1a:2b:ff:fe:3c:4d:5e"),
        ("uuid", "id 550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440000"),
        ("ad_id", "IDFA: 550E8400-E29B-41D4-A716-446655440000", "550E8400-E29B-41D4-A716-446655440000"),
        ("device_serial", "device serial number: SN-48213-A", "SN-48213-A"),
        ("device_serial", "pacemaker, serial no. PJN401234", "PJN401234"),
        ("license_plate", "license plate ABC-1234, seen", "ABC-1234"),
        ("license_plate", "Kennzeichen: B-AB 1234", "B-AB 1234"),
        ("license_plate", "targa AB 123 CD", "AB 123 CD"),
    ],
)
def test_a_number_is_found(name: str, text: str, value: str) -> None:
    assert _found(name, text) == [value]


@every(
    ("name", "text"),
    [
        ("imei", "490154203237518"),
        ("imei", "IMEI 490154203237517"),
        ("imei", "imei 000000000000000"),
        ("imsi", "310150123456789"),
        ("vin", "1M8GDM9A0KP042788"),
        ("vin", "VIN 1M8GDM9A0KP042788"),
        ("vin", "vin 11111111111111111"),
        ("vin", "WVWZZZ1JZXW000001"),
        ("mac_address", "16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48"),
        ("mac_address", "00:00:00:00:00:00 and ff:ff:ff:ff:ff:ff"),
        ("mac_address", "1234.5678.9012"),
        ("mac_address", "001a2b3c4d5e"),
        ("mac_address", "at 12:34:56"),
        ("uuid", "550e8400e29b41d4a716446655440000"),
        ("ad_id", "550e8400-e29b-41d4-a716-446655440000"),
        ("device_serial", "serial number of 4 parts"),
        ("license_plate", "ABC-1234"),
        ("license_plate", "license plate lost in 2023"),
    ],
)
def test_other_numbers_are_none(name: str, text: str) -> None:
    assert _found(name, text) == []


@every(
    ("name", "member", "value"),
    [
        ("imei", "imei", "490154203237517"),
        ("vin", "vin", "WVWZZZ1JZXW000001"),
        ("mac_address", "macAddress", "001a2b3c4d5e"),
        ("ad_id", "advertising_id", "550e8400-e29b-41d4-a716-446655440000"),
        ("license_plate", "licensePlate", "ABC 1234"),
    ],
)
def test_a_member_tells_what_is_in_it(name: str, member: str, value: str) -> None:
    assert _found(name, value, member) == [value]


def test_the_checks_are_those_of_the_standards() -> None:
    assert is_imei("490154203237518")
    assert not is_vin("11111111111111111")
    assert is_mac("00:1A:2b:3C:4D:5E")


def test_only_uuids_are_in_no_preset() -> None:
    assert [row.id for row in ROWS if not row.presets] == ["uuid"]
