"""Numbers of the catalogue's file `africa`, for test_catalog_world.py."""

# What is typical enough to be found anywhere.
ALONE = [
    ("za_id", "8302150290197"),
    ("za_income_tax", "0619 768/38/5"),
    ("za_company", "2079/199410/31"),
    ("za_company", "1880/761657/99"),
    ("za_company", "K2009/703742"),
    ("za_license_plate", "AB20GA FS"),
    ("za_license_plate", "YMX157 MP"),
    ("ng_vehicle_registration", "KJI-687-PA"),
    ("ng_vehicle_registration", "XUC349GI"),
    ("ke_pin", "A996261076M"),
    ("gh_card", "GHA5208991044"),
    ("gh_tin", "P0067226213"),
]

# What is found only next to a word that says what it is.
NAMED = [
    ("za_id", "south african id: 5510079645142", "5510079645142"),
    ("za_income_tax", "sars: 3623927401", "3623927401"),
    ("za_vat", "vat: 4249761422", "4249761422"),
    ("za_driver_license", "driving licence: 3940575567MH", "3940575567MH"),
    ("za_license_plate", "licence plate: YRTW 971 WP", "YRTW 971 WP"),
    ("za_license_plate", "licence plate: 05WSEC", "05WSEC"),
    ("za_license_plate", "licence plate: NJ125-268", "NJ125-268"),
    ("za_traffic_register", "traffic register: 9907858937534", "9907858937534"),
    ("ng_nin", "nin: 0141 561-8181", "0141 561-8181"),
    ("ng_nin", "nin: 17549314905", "17549314905"),
    ("ng_bvn", "bvn: 22185873405", "22185873405"),
    ("ng_bvn", "bvn: 26733230423", "26733230423"),
    ("ke_national_id", "kenyan id: 5171516", "5171516"),
]

# What has the form, but a date or a check digit that cannot be.
LOOK_ALIKES = [
    ("za_id", "south african id: 8302150290190"),
    ("za_id", "south african id: 5510079645140"),
    ("za_income_tax", "sars: 0619 768/38/0"),
    ("za_income_tax", "sars: 3623927408"),
    ("za_vat", "vat: 4249761429"),
    ("ng_nin", "nin: 0141 561-8180"),
    ("ng_nin", "nin: 17549314900"),
    ("gh_tin", "tin: P0067226210"),
]
