"""The customers, deals and notes that every demo begins with: invented, on reserved domains and telephone numbers."""

from collections.abc import Sequence

from agen_authz.demo.backend.crm_model import Address, Customer, Deal, Note

_PEOPLE = (
    # id, name, company, e-mail, phone
    ("c-1001", "Greta Hallmann", "Nordlicht Logistik GmbH", "greta.hallmann@nordlicht.example", "+49 30 23125 014"),
    ("c-1002", "Marcus Whitfield", "Harbor & Pine LLC", "marcus@harborpine.example", "+1 202-555-0143"),
    ("c-1003", "Camille Rousseau-Petit", "Atelier Verdure SARL", "camille@verdure.example", "+33 1 99 00 12 34"),
    ("c-1004", "Oliver Pemberton", "Thames Bicycle Works Ltd", "o.pemberton@thames.example", "+44 20 7946 0018"),
    ("c-1005", "Giulia Bertolini", "Officine Bertolini S.p.A.", "giulia@bertolini.example", "+39 06 5550 0172"),
)
_LIVES = (
    # birth date, street, city, postal code, country
    ("1984-03-17", "Lindenallee 12", "Berlin", "10115", "DE"),
    ("1976-11-02", "88 Chestnut Street", "Portland", "97205", "US"),
    ("1991-07-29", "5 rue des Tilleuls", "Lyon", "69003", "FR"),
    ("1969-01-08", "21 Quay Road", "London", "SE1 2AB", "GB"),
    ("1988-09-23", "Via dei Platani 7", "Milano", "20121", "IT"),
)
_DEALS = (
    # id, customer, title, stage, amount, currency
    ("d-2001", "c-1001", "Route planner, 40 seats", "proposal", 48_000.0, "EUR"),
    ("d-2002", "c-1002", "Warehouse sensors", "negotiation", 125_500.0, "USD"),
    ("d-2003", "c-1003", "Garden planner pilot", "qualified", 7_900.0, "EUR"),
    ("d-2004", "c-1004", "Workshop scheduling", "won", 19_250.0, "GBP"),
    ("d-2005", "c-1005", "Predictive maintenance", "proposal", 210_000.0, "EUR"),
)


def seed_customers() -> list[Customer]:
    """Make the customers."""
    names = ("customer_id", "name", "company", "email", "phone")
    places = ("street", "city", "postal_code", "country")
    return [
        Customer.model_validate(
            {**_pair(names, row), "birth_date": born, "address": Address.model_validate(_pair(places, place))}
        )
        for row, (born, *place) in zip(_PEOPLE, _LIVES, strict=True)
    ]


def seed_deals() -> list[Deal]:
    """Make the deals."""
    names = ("deal_id", "customer_id", "title", "stage", "amount", "currency")
    owner = {"owner_email": "samir.okafor@acme.example"}
    return [Deal.model_validate({**_pair(names, row), **owner}) for row in _DEALS]


def seed_notes() -> list[Note]:
    """Make the notes: free text, as people write it."""
    return [
        Note(
            note_id="n-3001",
            customer_id="c-1001",
            text="Prefers calls after 3 pm on +49 30 23125 099. Assistant: jonas.weber@nordlicht.example.",
        ),
        Note(
            note_id="n-3002",
            customer_id="c-1002",
            text="Left his card number 4111 1111 1111 1111 on the voicemail; told him not to do that again.",
        ),
    ]


def _pair(names: Sequence[str], row: Sequence[object]) -> dict[str, object]:
    return dict(zip(names, row, strict=True))
