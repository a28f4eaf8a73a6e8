"""One message to one place, by Apprise.

1. Apprise and its 180 services take 43 MB and half a second, so they are imported when the first URL is read.
2. What we send is plain text: Apprise escapes it for services that know nothing else. It interprets nothing in it: no
   escapes, no names of emojis, no templates.
3. It keeps nothing on disk and follows no redirects.
4. Its log names people and has URLs with passwords in them, so it is switched off; the notifier has its own lines.
"""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apprise import Apprise, NotifyBase

_APPRISE_LOG = "apprise"
# RFC 3834 section 5: no vacation notice answers.
_MAIL_HEADERS = {"Auto-Submitted": "auto-generated", "Precedence": "bulk"}


def is_known(url: str) -> bool:
    """True if a service of Apprise takes this URL."""
    return _open(url) is not None


def is_mail(url: str) -> bool:
    """True if it is a URL of a mail server that Apprise takes."""
    # 1.
    from apprise.plugins.email import NotifyEmail

    return type(_open(url)) is NotifyEmail


def send_to_channel(url: str, subject: str, body: str) -> bool:
    """Send a message to a channel; False if it could not be sent."""
    plugin = _open(url)
    return plugin is not None and _send(plugin, subject, body)


def send_mail(url: str, address: str, subject: str, body: str) -> bool:
    """Send a message to one address and to no other, whatever addresses the URL names; False if it could not be sent.

    Args:
        address: a plain one (address.py).
    """
    from apprise.plugins.email import NotifyEmail

    plugin = _open(url)
    if not isinstance(plugin, NotifyEmail):
        return False
    plugin.targets, plugin.cc, plugin.bcc = [(False, address)], set(), set()
    plugin.headers.update(_MAIL_HEADERS)
    return _send(plugin, subject, body)


def _send(plugin: "NotifyBase", subject: str, body: str) -> bool:
    from apprise import NotifyFormat, NotifyType

    # 2.
    sender = _new_sender()
    sender.add(plugin)
    return bool(
        sender.notify(
            body=body,
            title=subject,
            notify_type=NotifyType.INFO,
            body_format=NotifyFormat.TEXT,
            interpret_escapes=False,
        )
    )


def _open(url: str) -> "NotifyBase | None":
    from apprise import Apprise

    # 4.
    logging.getLogger(_APPRISE_LOG).setLevel(logging.CRITICAL)
    # A plugin for each message: some remember what they sent, and threads would share that.
    return Apprise.instantiate(url, asset=_new_sender().asset)


def _new_sender() -> "Apprise":
    from apprise import Apprise, AppriseAsset, PersistentStoreMode

    # 2. 3.
    asset = AppriseAsset(
        storage_mode=PersistentStoreMode.MEMORY,
        service_timeout=0,
        allow_templates=False,
        secure_logging=True,
        app_id="agen-authz",
        app_desc="agen-authz",
        app_url="",
        image_url_mask=None,
        async_mode=False,
        interpret_emojis=False,
        interpret_escapes=False,
        http_redirects=False,
        pgp_autogen=False,
        pem_autogen=False,
    )
    return Apprise(asset=asset)
