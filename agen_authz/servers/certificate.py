"""The certificates of a listener: three PEM files that are used together or not at all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from agen_authz.core.errors import ConfigError, Problem
from agen_authz.core.memory import remember
from agen_authz.servers.engine import TlsFiles
from agen_authz.whole_file import is_open_for_writing

_DER, _SPKI = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo


@dataclass(frozen=True, slots=True)
class Certificates:
    """What was read; each part is PEM."""

    private_key: bytes = field(repr=False)
    chain: bytes
    client_ca: bytes


def read_certificates(tls: TlsFiles) -> Certificates:
    """Read certificate, key and the CA of clients.

    Raises:
        ConfigError: a file cannot be read, is open for writing, is not a PEM file of its kind, or the key is not the
            certificate's.
    """
    read = Certificates(*(_read(key, getattr(tls, key)) for key in ("key_file", "cert_file", "client_ca_file")))
    _check(tls, read)
    return read


# What was good once is not parsed again: the files are read at every handshake. A refusal is not remembered.
@remember(4)
def _check(tls: TlsFiles, read: Certificates) -> None:
    certified = _parse("cert_file", tls.cert_file, lambda: _own_key(read.chain))
    _parse("client_ca_file", tls.client_ca_file, lambda: x509.load_pem_x509_certificates(read.client_ca))
    if certified != _parse("key_file", tls.key_file, lambda: _public_key(read.private_key)):
        message = f"`{tls.key_file}` is not the key of `{tls.cert_file}`"
        raise _refuse("key_file", message, "give the key and the certificate that were issued together")


def _own_key(chain: bytes) -> bytes:
    return x509.load_pem_x509_certificates(chain)[0].public_key().public_bytes(_DER, _SPKI)


def _public_key(private_key: bytes) -> bytes:
    return serialization.load_pem_private_key(private_key, password=None).public_key().public_bytes(_DER, _SPKI)


def _read(key: str, path: Path) -> bytes:
    if is_open_for_writing(path):
        raise _refuse(
            key, f"`{path}` is open for writing", "it is read as soon as the program that writes it has closed it"
        )
    try:
        return path.read_bytes()
    except OSError as exc:
        message = f"cannot read `{path}`: {exc.strerror}"
        raise _refuse(key, message, "give a PEM file that this user may read") from exc


def _parse(key: str, path: Path, parse: Callable[[], object]) -> object:
    try:
        return parse()
    # TypeError: the key is encrypted, and there is no way to ask for its password.
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        what = "an unencrypted private key" if key == "key_file" else "a certificate"
        raise _refuse(key, f"`{path}` does not hold {what}", "give a PEM file that does") from exc


def _refuse(key: str, message: str, cure: str) -> ConfigError:
    return ConfigError((Problem("server", None, f"server.tls.{key}", message, cure),))
