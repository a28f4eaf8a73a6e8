"""Numbers of the catalogue's file `america_north`, for test_catalog_world.py."""

# What is typical enough to be found anywhere.
ALONE = [
    ("mx_rfc", "LZXN 170628-W35"),
    ("ca_sin", "676-445-810"),
    ("ca_business_number", "445150832 RM 9620"),
    ("ca_driver_license", "N6926 84967-66880"),
    ("ca_health_number", "WNZK-7555 2997"),
    ("ca_health_number", "RXQD32510271"),
    ("ca_health_number", "0291 209 393 GC"),
    ("ca_bank_account", "76875 117-926286764"),
    ("mx_curp", "GYEO840526HGRIHPU1"),
    ("mx_rfc", "PVBL-780419PR7"),
    ("mx_rfc", "CBJ630930B22"),
    ("mx_voter", "RDQJXD84998756H951"),
]

# What is found only next to a word that says what it is.
NAMED = [
    ("ca_sin", "sin: 328926167", "328926167"),
    ("ca_business_number", "business number: 38082 6206", "38082 6206"),
    ("ca_driver_license", "driver's licence: MOSWO212499839", "MOSWO212499839"),
    ("ca_health_number", "health card: 1057 189 855 O", "1057 189 855 O"),
    ("ca_health_number", "health card: 9593683 310", "9593683 310"),
    ("ca_health_number", "health card: 143612 611", "143612 611"),
    ("ca_health_number", "health card: 63626-9114", "63626-9114"),
    ("ca_phin", "phin: 9353 462 622", "9353 462 622"),
    ("ca_phin", "phin: 01716-5867", "01716-5867"),
    ("ca_bank_account", "transit number: 007757441-32672698", "007757441-32672698"),
    ("ca_bank_account", "transit number: 48813-108", "48813-108"),
    ("mx_nss", "nss: 37-70 63 5350 7", "37-70 63 5350 7"),
]

# What has the form, but a date or a check digit that cannot be.
LOOK_ALIKES = [
    ("ca_sin", "sin: 676-445-811"),
    ("ca_sin", "sin: 328926160"),
    ("ca_business_number", "business number: 445150830 RM 9620"),
    ("ca_business_number", "business number: 38082 6200"),
    ("ca_health_number", "health card: WNZK-7555 3997"),
    ("ca_health_number", "health card: RXQD32510071"),
    ("ca_phin", "phin: 9353 462 620"),
    ("mx_curp", "curp: GYEO840526HGRIHPU0"),
    ("mx_rfc", "rfc: PVBL-780439PR7"),
    ("mx_rfc", "rfc: CBJ630931B22"),
    ("mx_rfc", "rfc: LZXN 170638-W35"),
    ("mx_rfc", "rfc: LZXN 170628-W33"),
    ("mx_nss", "nss: 37-70 63 5350 0"),
]
