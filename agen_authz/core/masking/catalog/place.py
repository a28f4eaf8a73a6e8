"""Places where a person lives: postal addresses in five languages, post office boxes, cities, postcodes.

A street's name is only words, so an address is found by the word for a street next to a house number. A city is found
only by its member or by the words before it. Postcodes of some countries have a form that little else has; those that
are only digits need a word or a member.
"""

import re

from agen_authz.core.masking.check import digits_of
from agen_authz.core.masking.row import At, Detector, Form, Label, Preset

_PERSONAL = frozenset({Preset.PII, Preset.PHI, Preset.GDPR})

# --- Postcodes. Letters that begin the postcode of a British area, and the first digit of the ZIP codes of each state.
_BRITISH_AREAS = frozenset((
    "AB", "AL", "B", "BA", "BB", "BD", "BF", "BH", "BL", "BN", "BR", "BS", "BT", "CA", "CB", "CF", "CH", "CM", "CO",
    "CR", "CT", "CV", "CW", "DA", "DD", "DE", "DG", "DH", "DL", "DN", "DT", "DY", "E", "EC", "EH", "EN", "EX", "FK",
    "FY", "G", "GIR", "GL", "GU", "GY", "HA", "HD", "HG", "HP", "HR", "HS", "HU", "HX", "IG", "IM", "IP", "IV", "JE",
    "KA", "KT", "KW", "KY", "L", "LA", "LD", "LE", "LL", "LN", "LS", "LU", "M", "ME", "MK", "ML", "N", "NE", "NG",
    "NN", "NP", "NR", "NW", "OL", "OX", "PA", "PE", "PH", "PL", "PO", "PR", "RG", "RH", "RM", "S", "SA", "SE", "SG",
    "SK", "SL", "SM", "SN", "SO", "SP", "SR", "SS", "ST", "SW", "SY", "TA", "TD", "TF", "TN", "TQ", "TR", "TS", "TW",
    "UB", "W", "WA", "WC", "WD", "WF", "WN", "WR", "WS", "WV", "YO", "ZE",
))  # fmt: skip
_FIRST_DIGIT_OF_STATES = (
    *("CT MA NH NJ PR RI VT VI", "DE NY PA", "DC MD NC SC VA WV", "AL FL GA MS TN", "KY MI OH", "IA MN MT ND SD WI"),
    *("IL KS MO NE", "AR LA TX", "AZ CO NM NV UT WY", "AK CA GU WA"),
)
# These states' letters are ordinary words as well.
_STATES_THAT_ARE_WORDS = "HI ID IN ME OK OR"


def is_british(value: str) -> bool:
    """True if an area of the Royal Mail has these letters."""
    return value[: len(value) - len(value.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))] in _BRITISH_AREAS


def is_british_and_no_size(value: str) -> bool:
    """True if it is a British postcode, and not an amount of memory next to a name (`S3 5GB`)."""
    return is_british(value) and not value.endswith(("GB", "TB"))


def is_in_its_state(value: str) -> bool:
    """True if a ZIP code begins as those of the state before it do."""
    return value[:2] in _FIRST_DIGIT_OF_STATES[int(digits_of(value)[0])].split()


_BRITISH = r"(?:GIR|[A-PR-UWYZ][A-HK-Y]?\d[\dA-HJKMNPR-Y]?) ?\d[ABD-HJLNP-UW-Z]{2}"
_CANADIAN = r"[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z] ?\d[ABCEGHJ-NPRSTV-Z]\d"
_DUTCH = r"[1-9]\d{3} ?(?:[A-RT-Z][A-Z]|S[BCE-RT-Z])"
_IRISH = r"(?:[AC-FHKNPRTV-Y]\d\d|D6W) ?[AC-FHKNPRTV-Y\d]{4}"
_ANY_POSTCODE = (
    rf"(?:(?i:{_BRITISH}|{_CANADIAN}|{_IRISH}|{_DUTCH})|(?:[A-Z]{{1,2}}-)?\d{{5}}-\d{{3,4}}|\d{{4}}-\d{{3}}"
    r"|\d{3}-\d{4}|\d\d-\d{3}|\d{3} \d\d|(?:[A-Z]{1,2}-)?\d{4,6}|\d{3} \d{3})(?![\w])"
)

# --- Addresses. A word with a capital letter of any alphabet; the letters that are excluded are small ones.
_CAPITAL = r"[^\W\d_a-z\u00df-\u00f6\u00f8-\u00ff\u0153]"
_WORD = rf"{_CAPITAL}[^\W\d_]*(?:['\u2019.-][^\W\d_]+)*(?:(?<=\b[^\W\d_])\.|(?<=\b[^\W\d_]{{2}})\.)?"
_PARTICLE = (
    r"(?:(?:de|del|della|delle|dello|dei|degli|di|da|do|dos|du|des|la|las|le|les|los|el|y|e|et|sur|sous|en|san)\s"
    r"|[dl]['\u2019]\s?)"
)
_SMALL_WORD = r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*"
_TOWN = rf"{_WORD}(?:[ -](?:am|an|der|im|in|ob|bei|sur|les|la|de|del|upon|on|{_WORD})){{0,3}}"
_STATE = r"(?:,?\s[A-Z]{2}|,?\s[A-Z][a-z]+(?:\s[A-Z][a-z]+)?)"
# What may follow a street: a part of the house, then a city, before or behind its postcode.
_UNIT = r"(?:,?\s(?i:apt|apartment|unit|suite|ste|flat|floor|fl|room|rm|bldg|building|#)\.?\s?#?[A-Z\d][\w-]{0,5}\b)?"
_ENDS = r"(?=\s*(?:[.,;!?\n)]|$))"
_CITY_THEN_CODE = (
    rf"(?:\s?[,\n]\s?{_TOWN}(?:(?:,\s{_TOWN})?{_STATE}?[, ]\s?{_ANY_POSTCODE}|,\s[A-Z]{{2}}\b|{_ENDS})(?:,\s{_TOWN})?)?"
)
_CODE_THEN_CITY = (
    rf"(?:(?:\s?[,\n(-])?\s?(?:[A-Z]{{1,2}}-)?\d{{4,5}}(?!\d)\s{_TOWN}(?:\s\([A-Z]{{2}}\))?|,\s{_TOWN}{_ENDS})?"
)

_ENGLISH_STREETS = (
    *(
        "street",
        "st",
        "road",
        "rd",
        "avenue",
        "ave",
        "boulevard",
        "blvd",
        "lane",
        "ln",
        "court",
        "ct",
        "sq",
        "crescent",
    ),
    *("terrace", "parkway", "pkwy", "highway", "hwy", "gardens", "grove", "mews", "trl", "cir", "drive", "dr", "pl"),
)
# Words of streets that are as often other words.
_ENGLISH_WORDS = ("close", "place", "way", "row", "circle", "square", "trail", "alley", "broadway")
# `5 Google Drive folders`, `3 Hard Drive failures`, `2 Factor Way`.
_NOT_A_STREET = (
    r"(?!(?:google|hard|flash|thumb|disk|ssd|usb|tape|test|one|pen|open|shared|network|factor|click|select|press)\s)"
)


def _write_english(kinds: tuple[str, ...]) -> str:
    return (
        r"(\d(?<![\w.]\d)(?:\d{0,3}[A-Za-z]?,\s\d)?\d{0,4}(?:[A-Za-z]\b|-\d{1,5}|\s1/2)?,?\s"
        rf"(?i:{_NOT_A_STREET})(?:[NSEW]{{1,2}}\.?\s)?(?:(?:{_WORD}|\d{{1,3}}(?i:st|nd|rd|th))\s)"
        rf"(?:(?:{_WORD}|of|the)\s){{0,3}}(?i:{'|'.join(sorted(kinds, key=len, reverse=True))})\b(?:\.(?=\s*[,\w#]))?"
        rf"(?:\s[NSEW]{{1,2}}\b)?{_UNIT}{_CITY_THEN_CODE})"
    )


_HOUSE = r"\d{1,4}(?:\s?[a-zA-Z])?(?:\s?[-/]\s?\d{1,4}[a-z]?)?(?![\w.]\d|\w)"
_GERMAN_ENDS = (
    *("strasse", "straße", "str", "weg", "platz", "allee", "gasse", "ring", "damm", "ufer", "chaussee", "steig"),
    *("straat", "laan", "plein", "gracht", "kade"),
)
_GERMAN = (
    rf"({_CAPITAL}(?<!\w\w)[^\W\d_]*[- ](?:{_CAPITAL}[^\W\d_]*[- ]){{0,2}}(?i:{'|'.join(_GERMAN_ENDS)})\.?"
    rf"\s?{_HOUSE}{_CODE_THEN_CITY})"
)
# In one word (`Hauptstrasse`), which no word of a label is found in. Latin-1, as direct forms are searched.
_GERMAN_DIRECT = (
    r"[A-Z\xc4\xd6\xdc][A-Za-z\xc0-\xff-]*(?:stra(?:ss|\xdf)e|str\.|[a-z]weg|platz|allee|gasse|damm|straat|gracht|laan)"
    r" ?\d{1,4} ?(?:[a-zA-Z]\b)?(?:[-/]\d{1,4}[a-z]?)?"
    r"(?:(?:, ?|\n| )(?:D-|A-|CH-|NL-)?\d{4,5}(?: [A-Z]{2})? [A-Z\xc4\xd6\xdc][a-z\xdf-\xff]+"
    r"(?:[ -][A-Z][a-z\xdf-\xff]+)?)?"
)
_GERMAN_BY_PLACE = rf"\s((?:{_CAPITAL}[^\W\d_]*[- ]){{1,3}}{_HOUSE},?\s?(?:[A-Z]{{1,2}}-)?\d{{4,5}}\s{_TOWN})"
_FRENCH_STREETS = (
    *("rue", "avenue", "av", "boulevard", "bd", "bld", "place", "chemin", "allée", "allee", "allées", "impasse"),
    *("quai", "cours", "route", "passage", "faubourg", "sentier", "esplanade", "villa"),
)
_FRENCH = (
    rf"(\d(?<!\w\d)\d{{0,3}}(?:\s?(?:bis|ter|quater|[A-D]\b))?,?\s(?i:{'|'.join(_FRENCH_STREETS)})\.?\s"
    rf"(?:{_PARTICLE}{{0,3}}{_WORD}|{_PARTICLE}{{1,3}}(?:{_SMALL_WORD}|\d{{1,2}}))(?:[\s-](?:{_PARTICLE}{{0,2}}{_WORD})){{0,4}}{_CODE_THEN_CITY})"
)
_SOUTHERN_NAME = rf"\s?(?:{_PARTICLE}{{0,3}}(?:{_WORD}|[IVX]+)(?:\s|(?=,))|\d{{1,2}}\s(?:de\s)?{_WORD}\s?){{1,5}}?"
_SPANISH_STREETS = (
    *("calle", "avenida", "avda", "av.", "plaza", "pza", "paseo", "camino", "carretera", "ronda", "travesía", "rua"),
    *("rúa", "carrer", "carrera", "glorieta", "urbanización", "passeig", "praça", "largo"),
)
_SPANISH = (
    rf"((?<!\w)(?i:{'|'.join(_SPANISH_STREETS)})\b\.?{_SOUTHERN_NAME},?\s?(?:(?i:n[º°o]|núm|número|num|#)\.?\s?)?{_HOUSE}"
    rf"(?:,?\s\d{{1,2}}[º°ªoa](?:\s?[A-Z]\b|\s(?:izq|dcha)\w*\.?)?)?{_CODE_THEN_CITY})"
)
_CALLE = _SPANISH.replace(f"(?i:{'|'.join(_SPANISH_STREETS)})\\b\\.?", r"(?:C/|C\.|c/)")
_ITALIAN_STREETS = (
    *("via", "viale", "v.le", "piazza", "p.zza", "corso", "c.so", "largo", "vicolo", "strada", "piazzale"),
    *("lungotevere", "contrada", "salita", "borgo"),
)
_NOT_A_VIA = (
    r"(?!\s(?:Port|Route|Version|API|HTTP|HTTPS|TCP|UDP|VPN|IP|Step|Channel|Ticket|Case|Node|Line|Page|Python)\b)"
)
_ITALIAN = (
    rf"((?<!\w)(?:{'|'.join(each.capitalize() for each in _ITALIAN_STREETS)}){_NOT_A_VIA}"
    rf"{_SOUTHERN_NAME},?\s?(?:(?:n[º°o.]|n\.\s?civ\.)\s?)?{_HOUSE}{_CODE_THEN_CITY})"
)
_BOX = r"[\s:]{0,2}(?:(?:no|nr|n[º°o])\.?\s?)?(\d[\d ]{0,8}\d|\d)(?!\w)"

_ADDRESS_WORDS = (
    *("address", "home address", "postal address", "mailing address", "shipping address", "billing address"),
    *("lives at", "living at", "resides at", "residing at", "residence", "anschrift", "adresse", "wohnhaft in"),
    *(
        "wohnt in der",
        "wohnt in",
        "wohnadresse",
        "domicilié au",
        "domiciliée au",
        "demeurant",
        "habite au",
        "dirección",
    ),
    *("direccion", "domicilio", "vive en", "residente en", "indirizzo", "residente in", "abita in", "domiciliato in"),
)
_FREE_TEXT = (
    r"\s?(?:[:=]|is|ist|est|es|è)?\s{0,3}((?=[^\n:]{0,60}?[^\W\d_]{3})(?=[^\n:]{0,60}?\d)"
    r"(?:\d|" + _CAPITAL + r")(?:\b[^\W\d_]{1,3}\.|[^.\n;|:=<>{}\[\]\"@]|\.(?=\S)){6,100})"
)


def is_postal(value: str) -> bool:
    """True if what is after `address:` is not one on a network or in memory."""
    return re.search(r"://|\b0x|\d\.\d+\.\d|\.(?:com|org|net|io|local)\b|[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-", value) is None


_LIVES_IN = (
    *("city", "town", "lives in", "living in", "resides in", "resident of", "hometown", "place of birth", "born in"),
    *("wohnort", "wohnhaft in", "wohnt in", "geboren in", "geburtsort", "stadt", "ville", "habite à", "née à", "né à"),
    *("lieu de naissance", "ciudad", "vive en", "reside en", "natural de", "lugar de nacimiento", "città"),
    *("residente a", "abita a", "vive a", "nato a", "nata a", "luogo di nascita", "comune di residenza"),
)

ROWS: tuple[Detector, ...] = (
    Detector(
        "address",
        "postal address: a street with its number, a post office box",
        _PERSONAL,
        direct=(Form(_GERMAN_DIRECT, (6, 60), 0.85),),
        labels=(
            Label(_ENGLISH_STREETS, _write_english(_ENGLISH_STREETS), 0.85, At.AROUND, 110),
            Label(_ENGLISH_WORDS, _write_english(_ENGLISH_WORDS), 0.55, At.AROUND, 110),
            Label(("am", "an der", "unter den"), _GERMAN_BY_PLACE, 0.85, reach=90),
            Label(_GERMAN_ENDS, _GERMAN, 0.85, At.AROUND, 90),
            Label(_FRENCH_STREETS, _FRENCH, 0.85, At.AROUND, 110),
            Label(_SPANISH_STREETS, _SPANISH, 0.85, At.FROM, 110),
            Label(("c/",), _CALLE, 0.85, At.AROUND, 110),
            Label(_ITALIAN_STREETS, _ITALIAN, 0.85, At.FROM, 110),
            Label(_ADDRESS_WORDS, _FREE_TEXT, 0.6, reach=130, check=is_postal),
            Label(("po box", "p.o. box", "p.o.box", "p o box", "post office box", "postfach", "postbus"), _BOX, 0.85),
            Label(("boîte postale", "boite postale", "apartado", "apartado de correos", "casella postale"), _BOX, 0.6),
        ),
        context=(
            *("address", "lives", "resident", "deliver", "delivery", "shipping", "billing", "mailing", "anschrift"),
            *(
                "adresse",
                "lieferadresse",
                "wohnhaft",
                "domicile",
                "habite",
                "dirección",
                "direccion",
                "domicilio",
                "indirizzo",
            ),
            *("residente", "abita"),
        ),
        unlike=("ip address", "mac address", "memory address", "google drive", "hard drive"),
        fields=(
            *("address", "addresses", "street", "addr", "postal address", "=residence", "apartment number", "po box"),
            *("strasse", "straße", "anschrift", "wohnadresse", "lieferadresse", "rechnungsadresse", "postfach"),
            *("adresse", "=rue", "domicile", "direccion", "dirección", "calle", "domicilio", "indirizzo", "=via"),
            *("residenza", "lugar de residencia"),
        ),
        # Words and a space, or one word: no IP address, e-mail address, URL or number of a memory cell.
        field_pattern=r"(?:[^\W\d_]{2}[.,]?|\d[A-Za-z]?,?)\s+(?:[^\W\d_]{2}|\d)|^[^\W\d_]{3,}$",
        aliases=("ADDRESS", "LOCATION", "STREET_ADDRESS"),
    ),
    Detector(
        "city",
        "city, town or county in which a person lives or was born",
        _PERSONAL,
        labels=(
            Label(_LIVES_IN, rf"(?:[\s:=]{{1,3}})(?i:is\s|ist\s)?({_TOWN})(?!\w)", 0.8, check=lambda v: v[0].isupper()),
        ),
        context=("address", "resident", "home", "anschrift", "adresse", "dirección", "indirizzo"),
        unlike=("smart city", "api", "error"),
        fields=(
            *("city", "town", "hometown", "county", "suburb", "village", "place of birth", "birth place", "birthplace"),
            *("birth city", "city of birth", "=locality", "address locality", "=ort", "wohnort", "geburtsort", "stadt"),
            *("ortschaft", "gemeinde", "ville", "commune", "lieu de naissance", "ville de naissance", "ciudad"),
            *("localidad", "municipio", "lugar de nacimiento", "poblacion", "citta", "città", "=comune"),
            *("comune di nascita", "comune residenza", "luogo di nascita", "luogo nascita"),
        ),
        field_pattern=r"[^\W\d_]{2}",
        aliases=("CITY",),
    ),
    Detector(
        "postcode",
        "postcode, ZIP code",
        _PERSONAL,
        forms=(
            Form(_BRITISH.replace(" ?", " "), (5, 7), 0.6, is_british_and_no_size),
            Form(rf"(?i){_BRITISH}", (5, 7), 0.25, lambda value: is_british(value.upper())),
            Form(_CANADIAN.replace(" ?", " "), (6, 6), 0.6),
            Form(rf"(?i){_CANADIAN.replace(' ?', '[ -]?')}", (6, 6), 0.3),
            Form(_IRISH.replace(" ?", " "), (7, 7), 0.35),
            Form(_IRISH, (7, 7), 0.2),
            Form(_DUTCH, (6, 6), 0.25),
            Form(r"[A-Z]{2} \d{5}(?:-\d{4})?", (7, 11), 0.55, is_in_its_state),
            Form(rf"(?:{_STATES_THAT_ARE_WORDS.replace(' ', '|')}) \d{{5}}(?:-\d{{4}})?", (7, 11), 0.2),
            Form(r"\d{5}-\d{4}", (9, 9), 0.35),
            Form(r"\d{5}-\d{3}|\d{4}-\d{3}|\d\d-\d{3}|\d{3} \d\d", (5, 8), 0.2),
            Form(r"(?:D|F|I|E|DE|FR|IT|ES)-\d{5}|(?:A|B|L|CH|AT|BE|LU|DK)-\d{4}", (5, 7), 0.35),
            Form(r"\d{5}", (5, 5), 0.2),
        ),
        labels=(
            Label(
                (
                    *("postcode", "post code", "postal code", "zip", "zip code", "zipcode", "eircode", "pin code"),
                    *("plz", "postleitzahl", "code postal", "código postal", "codigo postal", "c.p.", "cep"),
                    *("codice postale", "codice di avviamento postale", "c.a.p.", "codigo postal"),
                ),
                rf"[\s:=]{{1,3}}(?:(?:is|ist|est|es|è)\s)?({_ANY_POSTCODE})",
                0.85,
            ),
            Label(("cap", "cp"), r"[\s:=]{1,3}(\d{5})(?!\w)", 0.55),
        ),
        context=(
            *("postcode", "post code", "postal", "zip", "zip code", "plz", "postleitzahl", "code postal", "cap", "cep"),
            *("código postal", "codigo postal", "address", "anschrift", "adresse", "wohnort", "dirección", "direccion"),
            *("indirizzo", "lieferadresse", "rechnungsadresse", "wohnadresse", "delivery", "shipping", "mailing"),
            *("billing", "street", "straße", "strasse", "rue"),
            *("city", "town", "resident", "lives", "eircode", "canada", "ontario", "quebec", "ville", "ciudad"),
        ),
        unlike=("ip address", "port", "zip file", "postgres"),
        fields=(
            *(
                "postcode",
                "post code",
                "postal code",
                "postalcode",
                "zip",
                "zip code",
                "zipcode",
            ),
            *("eircode", "plz", "postleitzahl", "code postal", "codepostal", "=cp", "codigo postal", "código postal"),
            *("codice postale", "=cap", "codice avviamento postale", "=cep", "pin code", "=pincode"),
        ),
        field_pattern=r"^[^*\d]*\d[^*]*$",
        regions=("AT", "BE", "BR", "CA", "CH", "DE", "ES", "FR", "GB", "IE", "IT", "NL", "PL", "PT", "SE", "US"),
        aliases=("CA_POSTAL_CODE", "DE_PLZ", "UK_POSTCODE", "US_ZIP_CODE", "POSTCODE", "zip_code"),
    ),
)
