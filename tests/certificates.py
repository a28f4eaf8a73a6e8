"""Certificates of the tests' own: an authority, and what it signs; never checked in."""

import datetime
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
YESTERDAY_THEN = datetime.datetime(2021, 1, 1, tzinfo=datetime.UTC)
FAR_AWAY = datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Identity:
    """A key and its certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def key_pem(self) -> bytes:
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(encoding, form, serialization.NoEncryption())

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write certificate and key; return where they are."""
        certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
        certificate.write_bytes(self.pem)
        key.write_bytes(self.key_pem)
        return certificate, key


def issue(
    name: str, issuer: Identity | None = None, until: datetime.datetime = FAR_AWAY, host: str | None = None
) -> Identity:
    """Make an authority, or a certificate for 127.0.0.1 that `issuer` signs; or for a host by name."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    place = x509.IPAddress(ip_address("127.0.0.1")) if host is None else x509.DNSName(host)
    names = x509.SubjectAlternativeName([place])
    builder = (
        x509.CertificateBuilder(subject_name=subject, public_key=key.public_key())
        .not_valid_before(LONG_AGO)
        .issuer_name(subject if issuer is None else issuer.certificate.subject)
        .not_valid_after(until)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    builder = builder if issuer is None else builder.add_extension(names, critical=False)
    return Identity(key, builder.sign(key if issuer is None else issuer.key, hashes.SHA256()))
