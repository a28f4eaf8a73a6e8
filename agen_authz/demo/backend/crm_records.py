"""The CRM's records in memory: writes change them, reads show it, and all is as before after a restart."""

from dataclasses import dataclass, field

from agen_authz.demo.backend.crm_model import (
    CLOSED_STAGES,
    Customer,
    CustomerFile,
    Deal,
    Deletion,
    Note,
    Stage,
)
from agen_authz.demo.backend.crm_seed import seed_customers, seed_deals, seed_notes


@dataclass(slots=True)
class CrmRecords:
    """All that the CRM holds, each by its id; a missing id is a KeyError."""

    customers: dict[str, Customer] = field(default_factory=dict)
    deals: dict[str, Deal] = field(default_factory=dict)
    notes: dict[str, Note] = field(default_factory=dict)
    next_note: int = 3101

    def find_customers(self, query: str, country: str | None) -> list[Customer]:
        """Find customers whose name, company or e-mail holds the words."""
        wanted = query.casefold()
        return [
            customer
            for customer in self.customers.values()
            if wanted in f"{customer.name}\n{customer.company}\n{customer.email}".casefold()
            and country in (None, customer.address.country)
        ]

    def read_customer(self, customer_id: str) -> CustomerFile:
        """Gather all that is known of a customer."""
        customer = self.customers[customer_id]
        deals = [deal for deal in self.deals.values() if deal.customer_id == customer_id]
        notes = [note for note in self.notes.values() if note.customer_id == customer_id]
        return CustomerFile(customer=customer, deals=deals, notes=notes)

    def find_open_deals(self, least: float) -> list[Deal]:
        """Find deals that may still be won, of at least this amount."""
        return [deal for deal in self.deals.values() if deal.stage not in CLOSED_STAGES and deal.amount >= least]

    def update_deal(self, deal_id: str, stage: Stage | None, amount: float | None) -> Deal:
        """Change what is given of a deal."""
        asked = {"stage": stage, "amount": amount}
        changes = {name: value for name, value in asked.items() if value is not None}
        self.deals[deal_id] = self.deals[deal_id].model_copy(update=changes)
        return self.deals[deal_id]

    def add_note(self, customer_id: str, text: str) -> Note:
        """Write something down about a customer."""
        note_id = f"n-{self.next_note}"
        note = Note(note_id=note_id, customer_id=self.customers[customer_id].customer_id, text=text)
        self.next_note += 1
        self.notes[note_id] = note
        return note

    def delete_customer(self, customer_id: str) -> Deletion:
        """Delete a customer with all that is known of them."""
        gone = self.read_customer(customer_id)
        del self.customers[customer_id]
        for deal in gone.deals:
            del self.deals[deal.deal_id]
        for note in gone.notes:
            del self.notes[note.note_id]
        return Deletion(customer_id=customer_id, deals_deleted=len(gone.deals), notes_deleted=len(gone.notes))


def seed_crm() -> CrmRecords:
    """Make the records that every demo begins with."""
    return CrmRecords(
        customers={customer.customer_id: customer for customer in seed_customers()},
        deals={deal.deal_id: deal for deal in seed_deals()},
        notes={note.note_id: note for note in seed_notes()},
    )
