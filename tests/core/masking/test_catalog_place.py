"""Addresses, cities and postcodes; streets are invented or famous."""

from agen_authz.core.masking import Detectors, detect
from agen_authz.core.masking.catalog.place import is_british, is_in_its_state
from tests.core.masking.every import every


def _found(name: str, text: str, *path: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name), path=path)]


@every(
    ("text", "value"),
    [
        (
            "Ship order 12345 to 12 Main Street, Apt 4, Springfield, IL 62704 please",
            "12 Main Street, Apt 4, Springfield, IL 62704",
        ),
        ("I live at 221B Baker Street, London NW1 6XE.", "221B Baker Street, London NW1 6XE"),
        ("1600 Pennsylvania Ave NW, Washington, DC 20500", "1600 Pennsylvania Ave NW, Washington, DC 20500"),
        ("350 5th Ave, New York, NY 10118", "350 5th Ave, New York, NY 10118"),
        ("123 N. Elm St., Suite 200, Dallas TX 75201", "123 N. Elm St., Suite 200, Dallas TX 75201"),
        ("See 10 Downing Street.", "10 Downing Street"),
        ("742 Evergreen Terrace", "742 Evergreen Terrace"),
        ("wohnt Hauptstrasse 5, 10115 Berlin.", "Hauptstrasse 5, 10115 Berlin"),
        ("Musterstraße 12a, 80331 München", "Musterstraße 12a, 80331 München"),
        ("Friedrich-Ebert-Allee 140, 53113 Bonn", "Friedrich-Ebert-Allee 140, 53113 Bonn"),
        ("Frankfurter Straße 7", "Frankfurter Straße 7"),
        ("Königsweg 7", "Königsweg 7"),
        ("Unter den Linden 77, 10117 Berlin", "Linden 77, 10117 Berlin"),
        ("10 rue de la Paix, 75002 Paris", "10 rue de la Paix, 75002 Paris"),
        ("25 bis, avenue des Champs-Élysées 75008 Paris", "25 bis, avenue des Champs-Élysées 75008 Paris"),
        ("3 place de la mairie", "3 place de la mairie"),
        ("Calle Mayor 3, 28013 Madrid", "Calle Mayor 3, 28013 Madrid"),
        (
            "Avenida de la Constitución, 15, 2º B, 41001 Sevilla",
            "Avenida de la Constitución, 15, 2º B, 41001 Sevilla",
        ),
        ("C/ Gran Vía 28, 3º izq", "C/ Gran Vía 28, 3º izq"),
        ("Via Roma 12, 00184 Roma (RM)", "Via Roma 12, 00184 Roma (RM)"),
        ("Piazza Giuseppe Garibaldi, 4", "Piazza Giuseppe Garibaldi, 4"),
        ("Kerkstraat 12, 1012 AB Amsterdam", "Kerkstraat 12, 1012 AB Amsterdam"),
        ("P.O. Box 1234", "1234"),
        ("Postfach 10 20 30", "10 20 30"),
        ("address: Flat 2, Rosewood House 17, Leeds. He called", "Flat 2, Rosewood House 17, Leeds"),
    ],
)
def test_an_address_is_found(text: str, value: str) -> None:
    assert _found("address", text) == [value]


@every(
    "text",
    [
        "5 Google Drive files",
        "via Route 53",
        "Via Port 8080",
        "in 2024 the way forward",
        "3rd place In 2024",
        "2 way street",
        "The 3 St. Louis offices",
        "Go to step 5 close the dialog",
        "Version 2.0 Way better",
        "Row 5 place 3",
        "Spring 5",
        "Läufer 3",
        "Platz 3 von 10",
        "IP address: 10.0.0.1",
        "MAC address: 00-1A-2B-3C-4D-5E",
        "memory address: 0x4000 Segment",
        "email address: a.b@example.com",
        "Address: see page 5",
    ],
)
def test_what_only_looks_like_an_address_is_left(text: str) -> None:
    assert _found("address", text) == []


@every(
    ("path", "text"),
    [
        (("shipping_address",), "Rosewood House 17"),
        (("address", "street"), "Main Street"),
        (("Anschrift",), "Am Markt 3"),
        (("direccion",), "Mayor, 3"),
        (("indirizzo",), "Roma 12"),
    ],
)
def test_a_member_tells_of_an_address(path: tuple[str, ...], text: str) -> None:
    assert _found("address", text, *path) == [text]


@every(
    ("key", "text"),
    [
        ("ip_address", "10.0.0.1"),
        ("contract_address", "0xabc123"),
        ("emailAddress", "a@example.com"),
        ("server_address", "https://example.com/a"),
    ],
)
def test_addresses_of_machines_are_left(key: str, text: str) -> None:
    assert _found("address", text, key) == []


@every(
    ("text", "value"),
    [
        ("she lives in Berlin with", "Berlin"),
        ("City: New York", "New York"),
        ("wohnhaft in Bad Homburg", "Bad Homburg"),
        ("habite à Paris", "Paris"),
        ("vive en Buenos Aires.", "Buenos Aires"),
        ("residente a Roma", "Roma"),
    ],
)
def test_a_city_is_found_by_the_words_before_it(text: str, value: str) -> None:
    assert _found("city", text) == [value]


def test_a_city_is_found_by_its_member_only() -> None:
    assert _found("city", "Paris", "city") == ["Paris"]
    assert _found("city", "Lyon", "ville") == ["Lyon"]
    assert _found("city", "Paris") == []
    assert _found("city", "lives in the cloud") == []


@every(
    ("text", "value"),
    [
        ("SW1A 1AA", "SW1A 1AA"),
        ("M1 1AE", "M1 1AE"),
        ("delivery to ec1a1bb", "ec1a1bb"),
        ("K1A 0B1", "K1A 0B1"),
        ("postal code K1A0B1", "K1A0B1"),
        ("CA 94105", "CA 94105"),
        ("NY 10001-1234", "NY 10001-1234"),
        ("zip code: 02139", "02139"),
        ("Zip: 12345-6789", "12345-6789"),
        ("PLZ 80331", "80331"),
        ("Lieferadresse: 80331 München", "80331"),
        ("code postal 75002", "75002"),
        ("código postal: 28013", "28013"),
        ("CAP 00184", "00184"),
        ("postcode 2000", "2000"),
        ("address: 1012 AB Amsterdam", "1012 AB"),
        ("eircode D02 AF30", "D02 AF30"),
        ("CEP 01310-100", "01310-100"),
    ],
)
def test_a_postcode_is_found(text: str, value: str) -> None:
    assert _found("postcode", text) == [value]


@every("text", ["12345", "S3 5GB", "ID 83702", "CA 10405", "QQ1 1AA", "1012 AB", "D1A 0B1 x", "12345-678"])
def test_what_only_looks_like_a_postcode_is_left(text: str) -> None:
    assert _found("postcode", text) == []


def test_british_areas_are_known() -> None:
    assert is_british("SW1A 1AA")
    assert not is_british("QX1A 1AA")


def test_a_zip_code_is_in_its_state() -> None:
    assert is_in_its_state("CA 94105")
    assert not is_in_its_state("CA 10405")


def test_other_names_are_known() -> None:
    assert Detectors.of("LOCATION", "UK_POSTCODE", "CA_POSTAL_CODE", "DE_PLZ").ids == {"address", "postcode"}
