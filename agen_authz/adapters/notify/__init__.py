"""Messages to people, through Apprise: the channels of flows, and mail to people's own addresses."""

from agen_authz.adapters.notify.notifier import AppriseNotifier
from agen_authz.adapters.notify.url import Destination, Mail, read_channels, read_mail

__all__ = ["AppriseNotifier", "Destination", "Mail", "read_channels", "read_mail"]
