"""Numbers of the catalogue's file `middle_east`, for test_catalog_world.py."""

# What is typical enough to be found anywhere.
ALONE = [
    ("ae_id", "7841943 80118342"),
    ("il_hp", "56-746640-4"),
    ("ae_id", "784208955417184"),
    ("eg_id", "29407311447960"),
]

# What is found only next to a word that says what it is.
NAMED = [
    ("il_id", "israel id: 54633210-7", "54633210-7"),
    ("il_id", "israel id: 625006440", "625006440"),
    ("il_hp", "hevra pratit: 599111879", "599111879"),
    ("sa_id", "iqama: 1476779283", "1476779283"),
    ("eg_id", "egypt: 20304151034374", "20304151034374"),
    ("eg_tn", "egypt tax: 329-009-018", "329-009-018"),
]

# What has the form, but a date or a check digit that cannot be.
LOOK_ALIKES = [
    ("ae_id", "emirates id: 7841943 80118341"),
    ("il_id", "israel id: 54633210-0"),
    ("il_id", "israel id: 625006441"),
    ("il_hp", "hevra pratit: 56-746640-0"),
    ("il_hp", "hevra pratit: 599111870"),
    ("ae_id", "emirates id: 784218955417184"),
    ("sa_id", "iqama: 1476779280"),
    ("eg_id", "egypt: 29407314447960"),
    ("eg_id", "egypt: 20304150034374"),
]
