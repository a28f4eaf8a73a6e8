"""Numbers of the catalogue's file `america`, for test_catalog_world.py."""

# What is typical enough to be found anywhere.
ALONE = [
    ("us_ssn", "156-61-6948"),
    ("us_ssn", "008.25.1561"),
    ("us_itin", "959 55 1785"),
    ("us_itin", "930-84-5385"),
    ("us_routing", "6231-5158-5"),
]

# What is found only next to a word that says what it is.
NAMED = [
    ("us_ssn", "ssn: 811-231282", "811-231282"),
    ("us_ein", "ein: 06-4853437", "06-4853437"),
    ("us_ein", "ein: 512793243", "512793243"),
    ("us_driver_license", "driver license: C 926 617-364 568", "C 926 617-364 568"),
    ("us_driver_license", "driver license: 853T855451", "853T855451"),
    ("us_driver_license", "driver license: 1878079669600820", "1878079669600820"),
    ("us_routing", "aba: 236805781", "236805781"),
    ("us_bank_account", "bank account: 204562364340", "204562364340"),
    ("us_bank_account", "bank account: 6389 5123", "6389 5123"),
]

# What has the form, but a date or a check digit that cannot be.
LOOK_ALIKES = [
    ("us_ssn", "ssn: 956-61-6948"),
    ("us_ssn", "ssn: 000.25.1561"),
    ("us_ssn", "ssn: 911-231282"),
    ("us_ein", "ein: 00-4853437"),
    ("us_routing", "aba: 6231-5158-0"),
    ("us_routing", "aba: 236805780"),
]
