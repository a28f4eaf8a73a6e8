"""The demo's OpenID Connect issuer: real protocols, invented people, public secrets, loopback only."""

from agen_authz.demo.issuer.app import build_app
from agen_authz.demo.issuer.client import BROWSER_CLIENT, DEMO_SECRET
from agen_authz.demo.issuer.keyring import SigningKey, name_key
from agen_authz.demo.issuer.people import PEOPLE
from agen_authz.demo.issuer.settings import IssuerSettings
from agen_authz.demo.issuer.state import Issuer, Sources, build_issuer, real_sources

__all__ = [
    "BROWSER_CLIENT",
    "DEMO_SECRET",
    "PEOPLE",
    "Issuer",
    "IssuerSettings",
    "SigningKey",
    "Sources",
    "build_app",
    "build_issuer",
    "name_key",
    "real_sources",
]
