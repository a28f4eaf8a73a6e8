"""Identifiers of Italy, Spain, Portugal, Greece, Malta and Turkey."""

# ruff: noqa: RUF001 - words in Greek, Cyrillic and Turkish letters

from agen_authz.core.masking.catalog.europe_part import DAY, MEDICAL, MONTH, PERSONAL, joined, passes_niss, passes_nuss
from agen_authz.core.masking.national import bare, words
from agen_authz.core.masking.row import Detector, Form, Label

# A digit of an Italian code, or the letter that replaces it if two people would have the same code.
_D = r"[\dL-NP-V]"
_FISCAL = ("[A-Z]{3}", "[A-Z]{3}", _D + "{2}[ABCDEHLMPRST]" + _D + "{2}", "[A-Z]" + _D + "{3}[A-Z]")
_PROVINCE = r"(?:0[1-9]|[1-4]\d|5[0-3]|66)"

ROWS: tuple[Detector, ...] = (
    Detector(
        id="it_fiscal_code",
        title="tax code, codice fiscale (Italy)",
        presets=PERSONAL,
        forms=(Form("(?i)" + "".join(_FISCAL), (16, 16), 0.85, bare("it.codicefiscale")),),
        # In groups, the first two are words of letters, which no form begins with.
        labels=(
            Label(
                words=("codice fiscale", "cod. fiscale", "c.f.", "cf", "fiscal code"),
                pattern=r"(?i)[\s:#=]{0,4}(?:è|is)?[\s:#=]{0,4}(" + " ".join(_FISCAL) + r")\b",
                score=0.85,
                check=bare("it.codicefiscale"),
            ),
        ),
        context=("codice fiscale", "cod fiscale", "cf", "c.f.", "tessera sanitaria", "fiscal code"),
        fields=("codice fiscale", "codicefiscale", "cod fiscale", "fiscal code", "fiscalcode", "=cf"),
        field_pattern=r"\d",
        regions=("IT",),
        aliases=("itFiscalCode", "IT_FISCAL_CODE"),
    ),
    Detector(
        id="it_vat_code",
        title="VAT number, partita IVA (Italy)",
        presets=PERSONAL,
        forms=(
            Form(r"IT[ -]?\d{11}", (13, 13), 0.7, bare("it.iva")),
            Form(r"\d{11}", (11, 11), 0.4, bare("it.iva")),
            Form(r"\d(?:[ _]?\d){10}", (11, 11), 0.2, bare("it.iva")),
        ),
        context=("partita iva", "p iva", "p.iva", "p. iva", "piva", "iva", "vat", "pi"),
        fields=("partita iva", "partitaiva", "piva", "p iva", "italian vat"),
        field_pattern=r"\d",
        regions=("IT",),
        aliases=("itVatCode", "IT_VAT_CODE"),
    ),
    Detector(
        id="it_driver_license",
        title="driving licence number, patente (Italy)",
        presets=MEDICAL,
        forms=(
            Form(r"(?i)[A-Z]{2}\d{7}[A-Z]", (10, 10), 0.25),
            Form(r"(?i)U1[B-HJ-NP-Z\d]{7}[A-Z]", (10, 10), 0.25),
        ),
        context=words(
            "patente, patente di guida, licenza, licenza di guida, "
            "driving licence, driving license, driver license, driver's license, driver's licence"
        ),
        fields=("patente", "patente guida", "patente di guida", "numero patente", "italian driver license"),
        field_pattern=r"\d",
        regions=("IT",),
        aliases=("itDriverLicense", "IT_DRIVER_LICENSE"),
    ),
    Detector(
        id="it_identity_card",
        title="identity card number, carta d'identita (Italy)",
        presets=PERSONAL,
        forms=(
            Form(r"(?i)[A-Z]{2}\d{5}[A-Z]{2}", (9, 9), 0.3),
            Form(r"(?i)[A-Z]{2} ?\d{7}", (9, 9), 0.2),
            Form(r"(?i)\d{7}[A-Z]{2}", (9, 9), 0.2),
        ),
        context=words(
            "carta d'identità, carta d'identita, carta identità, carta, identità, cie, elettronica, "
            "documento, documento di riconoscimento, riconoscimento, espatrio, italian identity card"
        ),
        fields=words(
            "carta identita, carta d identita, cartaidentita, numero carta identita, cie, italian identity card"
        ),
        field_pattern=r"\d",
        regions=("IT",),
        aliases=("itIdentityCard", "IT_IDENTITY_CARD"),
    ),
    Detector(
        id="it_passport",
        title="passport number, passaporto (Italy)",
        presets=PERSONAL,
        forms=(Form(r"(?i)[A-Z]{2} ?\d{7}", (9, 9), 0.22),),
        context=words(
            "passaporto, italian passport, passaporto italiano, italiano, viaggio, viaggiare, estero, dogana"
        ),
        fields=("passaporto", "numero passaporto", "numeropassaporto", "italian passport"),
        field_pattern=r"\d",
        regions=("IT",),
        aliases=("itPassport", "IT_PASSPORT"),
    ),
    Detector(
        id="es_nif",
        title="tax and identity number of a person, NIF or DNI (Spain)",
        presets=PERSONAL,
        forms=(
            Form(r"\d{8}[ -]?[A-HJ-NP-TV-Z]", (9, 9), 0.65, bare("es.dni")),
            Form(r"\d{1,2}\.\d{3}\.\d{3}[ -]?[A-HJ-NP-TV-Z]", (8, 9), 0.7, bare("es.dni")),
            Form(r"[KLM]\d{7}[A-Z]", (9, 9), 0.5, bare("es.nif")),
            Form(r"(?i)\d{8}[ -]?[A-HJ-NP-TV-Z]", (9, 9), 0.4, bare("es.dni")),
        ),
        context=words(
            "dni, nif, d.n.i., n.i.f., documento nacional de identidad, "
            "documento de identidad, número de identificación fiscal, identificación fiscal, identificación"
        ),
        fields=("dni", "nif", "dni nif", "documento identidad", "documento nacional identidad", "spanish id"),
        field_pattern=r"\d",
        regions=("ES",),
        aliases=("esNif", "spainIdDni", "spain_id_dni", "ES_NIF", "ES_DNI", "es_dni"),
    ),
    Detector(
        id="es_nie",
        title="identity number of a foreigner, NIE (Spain)",
        presets=PERSONAL,
        forms=(
            Form(r"[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z]", (9, 9), 0.7, bare("es.nie")),
            Form(r"(?i)[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z]", (9, 9), 0.45, bare("es.nie")),
        ),
        context=words("nie, n.i.e., número de identidad de extranjero, identificación de extranjero, extranjero, tie"),
        fields=("nie", "numero identidad extranjero", "nienumber", "numero nie"),
        field_pattern=r"\d",
        regions=("ES",),
        aliases=("ES_NIE",),
    ),
    Detector(
        id="es_cif",
        title="tax number of a company, CIF (Spain)",
        presets=PERSONAL,
        forms=(Form(r"[A-HJNP-SUVW][ -]?\d{7}[ -]?[\dA-J]", (9, 9), 0.4, bare("es.cif")),),
        context=("cif", "c.i.f.", "nif", "código de identificación fiscal", "identificación fiscal", "empresa"),
        fields=("cif", "codigo identificacion fiscal"),
        field_pattern=r"\d",
        regions=("ES",),
        aliases=("ES_CIF",),
    ),
    Detector(
        id="es_passport",
        title="passport number, pasaporte (Spain)",
        presets=PERSONAL,
        forms=(Form(r"[A-Z]{2}[A-Z\d]\d{6}", (9, 9), 0.25),),
        context=("pasaporte", "número de pasaporte", "spanish passport", "passport"),
        fields=("pasaporte", "numero pasaporte", "numeropasaporte", "spanish passport"),
        field_pattern=r"\d",
        regions=("ES",),
        aliases=("ES_PASSPORT",),
    ),
    Detector(
        id="es_social_security",
        title="social security number, NUSS (Spain)",
        presets=PERSONAL,
        forms=(
            Form(_PROVINCE + r"(?: \d{8} |/\d{8}/|-\d{8}-|\d{8} )\d{2}", (11, 12), 0.85, passes_nuss),
            Form(_PROVINCE + r"\d{10}", (12, 12), 0.6, passes_nuss),
        ),
        context=words(
            "seguridad social, número de afiliación, afiliación, nuss, naf, nº ss, tarjeta sanitaria, social security"
        ),
        fields=words(
            "seguridad social, numero seguridad social, nuss, numero afiliacion, seguridadsocial, spanish ssn"
        ),
        field_pattern=r"\d",
        regions=("ES",),
        aliases=("spainSsn", "spain_ssn", "ES_SSN", "ES_NUSS"),
    ),
    Detector(
        id="pt_nif",
        title="tax number, NIF (Portugal)",
        presets=PERSONAL,
        forms=(Form(joined(("", " ", "."), r"[1-9]\d{2}", r"\d{3}", r"\d{3}"), (9, 9), 0.4, bare("pt.nif")),),
        context=words(
            "nif, contribuinte, número de contribuinte, "
            "n.º contribuinte, nipc, identificação fiscal, finanças, portuguese tax"
        ),
        fields=("nif", "contribuinte", "numero contribuinte", "nipc", "identificacao fiscal", "portuguese tax id"),
        field_pattern=r"\d",
        regions=("PT",),
        aliases=("PT_NIF",),
    ),
    Detector(
        id="pt_cc",
        title="citizen card number, cartao de cidadao (Portugal)",
        presets=PERSONAL,
        forms=(
            Form(r"\d{8}[ -]\d[ -]?(?:[A-Z][A-Z\d]|\d[A-Z])\d", (12, 12), 0.75, bare("pt.cc")),
            Form(r"\d{9}(?:[A-Z][A-Z\d]|\d[A-Z])\d", (12, 12), 0.6, bare("pt.cc")),
        ),
        context=("cartão de cidadão", "cartao de cidadao", "bilhete de identidade", "cc", "identificação civil"),
        fields=("cartao cidadao", "cartao de cidadao", "bilhete identidade", "numero cc"),
        field_pattern=r"\d",
        regions=("PT",),
        aliases=("PT_CC",),
    ),
    Detector(
        id="pt_niss",
        title="social security number, NISS (Portugal)",
        presets=PERSONAL,
        forms=(Form(joined(("", " "), r"[12]\d{2}", r"\d{3}", r"\d{3}", r"\d{2}"), (11, 11), 0.4, passes_niss),),
        context=("niss", "segurança social", "seguranca social", "número de segurança social"),
        fields=("niss", "seguranca social", "numero seguranca social"),
        field_pattern=r"\d",
        regions=("PT",),
        aliases=("PT_NISS",),
    ),
    Detector(
        id="gr_amka",
        title="social security number, AMKA (Greece)",
        presets=PERSONAL,
        forms=(
            Form(DAY + MONTH + r"\d{7}", (11, 11), 0.55, bare("gr.amka")),
            Form(DAY + MONTH + r"\d{2}[ -]\d{5}", (11, 11), 0.6, bare("gr.amka")),
        ),
        context=("amka", "αμκα", "α.μ.κ.α.", "a.m.k.a.", "κοινωνικής ασφάλισης", "social security"),
        fields=("amka", "αμκα", "greek ssn"),
        field_pattern=r"\d",
        regions=("GR",),
        aliases=("GR_AMKA",),
    ),
    Detector(
        id="gr_afm",
        title="tax number, AFM (Greece)",
        presets=PERSONAL,
        forms=(Form(r"\d{9}", (9, 9), 0.4, bare("gr.vat")),),
        context=("afm", "αφμ", "α.φ.μ.", "a.f.m.", "φορολογικού μητρώου", "δοy", "greek tax"),
        fields=("afm", "αφμ", "greek tax id"),
        field_pattern=r"\d",
        regions=("GR",),
        aliases=("GR_AFM",),
    ),
    Detector(
        id="gr_id_card",
        title="identity card number (Greece)",
        presets=PERSONAL,
        forms=(Form(r"[A-Z]{1,2}[ -]?\d{6}", (7, 8), 0.2),),
        context=words("adt, αδτ, α.δ.τ., δελτίο ταυτότητας, ταυτότητα, taftotita, greek id, greek identity card"),
        fields=("adt", "αδτ", "taftotita", "greek id card"),
        field_pattern=r"\d",
        regions=("GR",),
        aliases=("GR_ID_CARD",),
    ),
    Detector(
        id="mt_id",
        title="identity card number (Malta)",
        presets=PERSONAL,
        forms=(Form(r"\d{4,7}[ ]?[MGAPLHBZ]", (5, 8), 0.17),),
        context=("maltese id", "malta id", "karta tal-identità", "karta tal identita", "maltese identity card"),
        fields=("maltese id", "malta id", "karta identita"),
        field_pattern=r"\d",
        regions=("MT",),
        aliases=("MT_ID",),
    ),
    Detector(
        id="tr_id",
        title="identity number, T.C. kimlik no (Turkey)",
        presets=PERSONAL,
        forms=(
            Form(r"[1-9]\d{10}", (11, 11), 0.7, bare("tr.tckimlik")),
            Form(r"[1-9]\d{2} \d{3} \d{3} \d{2}", (11, 11), 0.8, bare("tr.tckimlik")),
        ),
        context=words(
            "kimlik, tc kimlik, t.c. kimlik, kimlik no, kimlik numarası, "
            "kimlik numarasi, tckn, tc no, nüfus cüzdanı, turkish id, türk kimlik"
        ),
        fields=words("kimlik, kimlik no, tc kimlik, kimlikno, tckimlik, tckimlikno, tckn, tc no, turkish id"),
        field_pattern=r"\d",
        regions=("TR",),
        aliases=("TR_NATIONAL_ID", "TR_ID"),
    ),
    Detector(
        id="tr_tax_number",
        title="tax number, vergi kimlik no (Turkey)",
        presets=PERSONAL,
        forms=(Form(r"\d{10}", (10, 10), 0.35, bare("tr.vkn")),),
        context=("vergi", "vergi no", "vergi kimlik", "vkn", "vergi dairesi", "turkish tax"),
        fields=("vergi no", "vergi kimlik", "vergino", "vkn", "turkish tax id"),
        field_pattern=r"\d",
        regions=("TR",),
        aliases=("TR_VKN",),
    ),
    Detector(
        id="tr_license_plate",
        title="number plate, plaka (Turkey)",
        presets=MEDICAL,
        forms=(
            Form(
                r"(?:0[1-9]|[1-7]\d|8[01])[ -]?"
                r"(?:[A-PR-VYZ][ -]?\d{4,5}|[A-PR-VYZ]{2}[ -]?\d{3,4}|[A-PR-VYZ]{3}[ -]?\d{2,4})",
                (7, 9),
                0.25,
            ),
            Form(r"(?:0[1-9]|[1-7]\d|8[01])[ -]?[A-PR-VYZ]{1,3}[ -]?\d{2,4}", (5, 9), 0.2),
        ),
        context=words(
            "plaka, plakası, plaka numarası, plaka no, araç plakası, taşıt plakası, license plate, number plate, plate"
        ),
        fields=("plaka", "plaka no", "plakano", "arac plaka", "araç plaka", "plaka numarasi"),
        field_pattern=r"\d",
        regions=("TR",),
        aliases=("TR_LICENSE_PLATE",),
    ),
)
