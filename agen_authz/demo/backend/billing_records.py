"""Billing's records in memory: writes change them, reads show it, and all is as before after a restart."""

from dataclasses import dataclass, field

from agen_authz.demo.backend.billing_model import (
    Account,
    Invoice,
    InvoiceStatus,
    PaymentMethod,
    Payout,
    Refund,
)
from agen_authz.demo.backend.billing_seed import seed_accounts, seed_invoices


class Refusal(Exception):
    """Billing's own rules forbid it; the message is one line for the caller."""


@dataclass(slots=True)
class BillingRecords:
    """All that billing holds, each by its id; a missing id is a KeyError."""

    accounts: dict[str, Account] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    refunds: list[Refund] = field(default_factory=list)
    payouts: list[Payout] = field(default_factory=list)

    def find_invoices(self, query: str, status: InvoiceStatus | None) -> list[Invoice]:
        """Find invoices whose id, account, recipient or e-mail holds the words."""
        wanted = query.casefold()
        return [
            invoice
            for invoice in self.invoices.values()
            if wanted in f"{invoice.invoice_id}\n{invoice.account_id}\n{invoice.recipient}\n{invoice.email}".casefold()
            and status in (None, invoice.status)
        ]

    def refund(self, invoice_id: str, amount: float, reason: str) -> Refund:
        """Give money back, at most what was paid.

        Raises:
            Refusal: if nothing was paid, or less is left of it.
        """
        invoice = self.invoices[invoice_id]
        left = round(invoice.amount - invoice.refunded, 2)
        if invoice.status != "paid":
            raise Refusal(f"invoice `{invoice_id}` is {invoice.status}: only paid invoices are refunded")
        if amount > left:
            raise Refusal(f"only {left:.2f} {invoice.currency} are left to refund of invoice `{invoice_id}`")
        refunded = round(invoice.refunded + amount, 2)
        status = "refunded" if refunded == invoice.amount else "paid"
        self.invoices[invoice_id] = invoice.model_copy(update={"refunded": refunded, "status": status})
        refund = Refund(
            refund_id=f"r-{5001 + len(self.refunds)}",
            invoice_id=invoice_id,
            amount=amount,
            currency=invoice.currency,
            to=invoice.paid_with,
            reason=reason,
        )
        self.refunds.append(refund)
        return refund

    def pay_out(self, payee: str, iban: str, amount: float, currency: str) -> Payout:
        """Send money to a person."""
        payout_id = f"p-{6001 + len(self.payouts)}"
        payout = Payout(payout_id=payout_id, payee=payee, iban=iban, amount=amount, currency=currency)
        self.payouts.append(payout)
        return payout

    def change_method(self, account_id: str, method: PaymentMethod) -> Account:
        """Let an account pay in another way from now on; old invoices keep theirs."""
        self.accounts[account_id] = self.accounts[account_id].model_copy(update={"method": method})
        return self.accounts[account_id]


def seed_billing() -> BillingRecords:
    """Make the records that every demo begins with."""
    return BillingRecords(
        accounts={account.account_id: account for account in seed_accounts()},
        invoices={invoice.invoice_id: invoice for invoice in seed_invoices()},
    )
