"""Every write after the decision: what an Allow depends on, then the evidence.

A decision stands only when all of it was done: a failure turns an Allow into a Deny, and a Deny stays one.
"""

from agen_authz.obligations.discharge import discharge
from agen_authz.obligations.record import tell

__all__ = ["discharge", "tell"]
