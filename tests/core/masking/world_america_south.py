"""Numbers of the catalogue's file `america_south`, for test_catalog_world.py."""

# What is typical enough to be found anywhere.
ALONE = [
    ("br_cpf", "941.174.288/29"),
    ("br_cpf", "16552442050"),
    ("br_cnpj", "Q2.8IE.2UT/P1DC-08"),
    ("br_cnpj", "74070496/7406-57"),
    ("br_pis", "498.90222.51-0"),
    ("ar_cuit", "33-13910189-3"),
    ("ar_cuit", "33869402392"),
    ("cl_rut", "14.256.445-9"),
    ("cl_rut", "1844465-8"),
    ("co_nit", "3.343.348-0"),
    ("pe_ruc", "20386193828"),
    ("uy_rut", "194803980013"),
    ("uy_ci", "2.678.359-1"),
    ("ec_ci", "186132906-6"),
    ("ec_ruc", "2168627814002"),
    ("ve_rif", "E-52269532-0"),
    ("ve_rif", "J843034780"),
]

# What is found only next to a word that says what it is.
NAMED = [
    ("br_cnpj", "cnpj: UXVCU6HTOGRP88", "UXVCU6HTOGRP88"),
    ("br_rg", "rg: 60875423-7", "60875423-7"),
    ("br_pis", "pis: 01001378145", "01001378145"),
    ("br_cnh", "cnh: 76573443624", "76573443624"),
    ("ar_dni", "dni: 25.887.129", "25.887.129"),
    ("cl_rut", "rut: 44035618", "44035618"),
    ("co_nit", "nit: 069210609-7", "069210609-7"),
    ("co_cedula", "cedula: 351.548.553", "351.548.553"),
    ("pe_cui", "dni: 25275967-6", "25275967-6"),
    ("pe_cui", "dni: 54485138", "54485138"),
    ("uy_ci", "cedula de identidad: 57274791", "57274791"),
    ("ec_ci", "cedula: 1621649217", "1621649217"),
]

# What has the form, but a date or a check digit that cannot be.
LOOK_ALIKES = [
    ("cl_rut", "rut: 12738587-1"),
    ("br_cpf", "cpf: 941.174.288/20"),
    ("br_cpf", "cpf: 16552442051"),
    ("br_cnpj", "cnpj: Q2.8IE.2UT/P1DC-00"),
    ("br_cnpj", "cnpj: 74070496/7406-50"),
    ("br_cnpj", "cnpj: UXVCU6HTOGRP80"),
    ("br_rg", "rg: 60875423-0"),
    ("br_pis", "pis: 498.90222.51-1"),
    ("br_pis", "pis: 01001378140"),
    ("ar_cuit", "cuit: 33-13910189-0"),
    ("ar_cuit", "cuit: 33869402390"),
    ("cl_rut", "rut: 14.256.445-0"),
    ("cl_rut", "rut: 1844465-0"),
    ("cl_rut", "rut: 24035610"),
    ("co_nit", "nit: 3.343.348-1"),
    ("co_nit", "nit: 069210609-0"),
    ("pe_ruc", "ruc: 20386193820"),
    ("uy_rut", "rut: 194803980010"),
    ("uy_ci", "cédula de identidad: 2.678.359-0"),
    ("uy_ci", "cédula de identidad: 57274790"),
    ("ec_ci", "cédula: 186132906-0"),
    ("ec_ci", "cédula: 1621649210"),
    ("ec_ruc", "ruc: 2168627814000"),
    ("ve_rif", "rif: E-52269532-1"),
    ("ve_rif", "rif: J843034781"),
]
