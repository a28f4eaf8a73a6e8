"""What the demo's CRM knows: people, deals and notes, all of them invented."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Stage = Literal["qualified", "proposal", "negotiation", "won", "lost"]
CLOSED_STAGES = frozenset({"won", "lost"})


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Address(_Record):
    """Where a person lives or receives letters."""

    street: str
    city: str
    postal_code: str
    country: str


class Customer(_Record):
    """A person at a company that buys from us."""

    customer_id: str
    name: str
    company: str
    email: str
    phone: str
    birth_date: str
    address: Address


class CustomerPage(_Record):
    """Customers that were found, and how many there are in all."""

    customers: list[Customer]
    total: int


class Deal(_Record):
    """Something that a customer may buy."""

    deal_id: str
    customer_id: str
    title: str
    stage: Stage
    amount: float
    currency: str
    owner_email: str


class DealPage(_Record):
    """Deals that were found, and how many there are in all."""

    deals: list[Deal]
    total: int


class Note(_Record):
    """What a colleague wrote down about a customer."""

    note_id: str
    customer_id: str
    text: str


class CustomerFile(_Record):
    """A customer with all that was written down."""

    customer: Customer
    deals: list[Deal]
    notes: list[Note]


class Deletion(_Record):
    """What is gone."""

    customer_id: str
    deals_deleted: int
    notes_deleted: int


class Contact(_Record):
    """A line of an address book."""

    name: str
    email: str
    phone: str


class ContactList(_Record):
    """An address book."""

    contacts: list[Contact]
    total: int
