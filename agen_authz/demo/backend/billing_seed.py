"""The accounts and invoices that every demo begins with: invented, with the card and IBAN numbers made for tests."""

from agen_authz.demo.backend.billing_model import Account, Invoice, PaymentMethod

_ADDRESSES = {
    "a-1001": "Lindenallee 12, 10115 Berlin, DE",
    "a-1002": "88 Chestnut Street, Portland, OR 97205, US",
    "a-1003": "5 rue des Tilleuls, 69003 Lyon, FR",
    "a-1004": "21 Quay Road, London SE1 2AB, GB",
}


def seed_accounts() -> list[Account]:
    """Make the accounts."""
    return [
        Account(
            account_id="a-1001",
            name="Greta Hallmann",
            email="greta.hallmann@nordlicht.example",
            method=PaymentMethod(kind="iban", holder="Nordlicht Logistik GmbH", number="DE89370400440532013000"),
        ),
        Account(
            account_id="a-1002",
            name="Marcus Whitfield",
            email="marcus@harborpine.example",
            method=PaymentMethod(
                kind="card", holder="Marcus Whitfield", number="4111 1111 1111 1111", expires="2029-08"
            ),
        ),
        Account(
            account_id="a-1003",
            name="Camille Rousseau-Petit",
            email="camille@verdure.example",
            method=PaymentMethod(kind="iban", holder="Atelier Verdure SARL", number="FR1420041010050500013M02606"),
        ),
        Account(
            account_id="a-1004",
            name="Oliver Pemberton",
            email="o.pemberton@thames.example",
            method=PaymentMethod(
                kind="card", holder="Oliver Pemberton", number="5555 5555 5555 4444", expires="2028-02"
            ),
        ),
    ]


def seed_invoices() -> list[Invoice]:
    """Make the invoices."""
    rows = [
        ("i-4001", "a-1001", 4_800.0, "EUR", "paid", "2026-09-30"),
        ("i-4002", "a-1002", 1_250.5, "USD", "paid", "2026-10-15"),
        ("i-4003", "a-1003", 790.0, "EUR", "overdue", "2026-10-31"),
        ("i-4004", "a-1004", 1_925.0, "GBP", "open", "2026-12-15"),
        ("i-4005", "a-1001", 4_800.0, "EUR", "open", "2026-12-31"),
    ]
    accounts = {account.account_id: account for account in seed_accounts()}
    names = ("invoice_id", "account_id", "amount", "currency", "status", "due")
    return [
        Invoice.model_validate(
            {
                **dict(zip(names, row, strict=True)),
                "recipient": accounts[row[1]].name,
                "email": accounts[row[1]].email,
                "billing_address": _ADDRESSES[row[1]],
                "refunded": 0.0,
                "paid_with": accounts[row[1]].method,
            }
        )
        for row in rows
    ]
