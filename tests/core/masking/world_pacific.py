"""Numbers of the catalogue's file `pacific`, for test_catalog_world.py."""

# What is typical enough to be found anywhere.
ALONE = [
    ("au_abn", "22-355-845-614"),
    ("au_abn", "47186716009"),
    ("au_acn", "039 621 666"),
    ("au_tfn", "308 201 561"),
    ("au_medicare", "5481-59475-5/2"),
    ("au_bank_account", "406-639 614706"),
    ("nz_nhi", "CVT0060"),
    ("nz_nhi", "HCS84ES"),
    ("nz_ird", "23-184-354"),
    ("nz_bank_account", "01-1109-3846858-00"),
]

# What is found only next to a word that says what it is.
NAMED = [
    ("au_acn", "acn: 340 940 963", "340 940 963"),
    ("au_acn", "acn: 167224893", "167224893"),
    ("au_tfn", "tfn: 503777094", "503777094"),
    ("au_medicare", "medicare: 5990262630", "5990262630"),
    ("au_driver_license", "driver licence: 678 649 135", "678 649 135"),
    ("au_driver_license", "driver licence: Z632831", "Z632831"),
    ("au_bank_account", "bsb: 371-933", "371-933"),
    ("au_bank_account", "bsb: 178399", "178399"),
    ("nz_nhi", "nhi: bfc38df", "bfc38df"),
    ("nz_ird", "ird: 77302778", "77302778"),
    ("nz_bank_account", "bank account: 06 0561 4562927248", "06 0561 4562927248"),
]

# What has the form, but a date or a check digit that cannot be.
LOOK_ALIKES = [
    ("au_abn", "abn: 22-355-845-610"),
    ("au_abn", "abn: 47186716000"),
    ("au_acn", "acn: 039 621 660"),
    ("au_acn", "acn: 340 940 960"),
    ("au_acn", "acn: 167224890"),
    ("au_tfn", "tfn: 308 201 560"),
    ("au_tfn", "tfn: 503777090"),
    ("au_medicare", "medicare: 5481-59470-5/2"),
    ("au_medicare", "medicare: 5990262600"),
    ("nz_nhi", "nhi: CVT0061"),
    ("nz_nhi", "nhi: HCS80ES"),
    ("nz_nhi", "nhi: bfc30df"),
    ("nz_ird", "ird: 23-184-350"),
    ("nz_ird", "ird: 77302770"),
    ("nz_bank_account", "bank account: 01-1109-3846850-00"),
    ("nz_bank_account", "bank account: 06 0561 4562920248"),
]
