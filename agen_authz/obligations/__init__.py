"""Every write after the decision: what an Allow depends on, then the evidence.

An Allow needs all of it: a failure turns an Allow into a Deny, and a Deny stays a Deny.
"""

from agen_authz.obligations.discharge import discharge
from agen_authz.obligations.record import tell

__all__ = ["discharge", "tell"]
