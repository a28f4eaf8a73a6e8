"""What the demo's billing knows: invoices, payment methods and the money that went out, all of it invented."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

InvoiceStatus = Literal["open", "paid", "overdue", "refunded"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class PaymentMethod(_Record):
    """How an account pays: a card or a bank account."""

    kind: Literal["card", "iban"]
    holder: str
    number: str
    expires: str | None = None


class Invoice(_Record):
    """An invoice, with whom it was sent to."""

    invoice_id: str
    account_id: str
    recipient: str
    email: str
    billing_address: str
    amount: float
    refunded: float
    currency: str
    status: InvoiceStatus
    due: str
    paid_with: PaymentMethod


class InvoicePage(_Record):
    """Invoices that were found, and how many there are in all."""

    invoices: list[Invoice]
    total: int


class Refund(_Record):
    """Money that went back."""

    refund_id: str
    invoice_id: str
    amount: float
    currency: str
    to: PaymentMethod
    reason: str


class Payout(_Record):
    """Money that went out."""

    payout_id: str
    payee: str
    iban: str
    amount: float
    currency: str


class Account(_Record):
    """Who pays, and how."""

    account_id: str
    name: str
    email: str
    method: PaymentMethod
