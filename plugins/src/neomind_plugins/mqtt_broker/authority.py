"""Certificates as such: checked when they are given, or made by a CA of our own."""

from __future__ import annotations

import datetime
import ipaddress
import socket

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from neomind_sdk import BadRequest
from neomind_sdk.addresses import lan_address

from .certificates import Pems

YEARS = 10


def check(pems: Pems) -> None:
    """Raises ``BadRequest`` for what is not PEM, and for a key that is not that of the certificate."""
    cert = _certificate("cert_pem", pems.cert)
    try:
        key = serialization.load_pem_private_key(pems.key, password=None)
    except (ValueError, TypeError) as error:
        raise BadRequest("key_pem: must be an unencrypted private key in PEM") from error
    if _public(key.public_key()) != _public(cert.public_key()):
        raise BadRequest("key_pem: is not the key of cert_pem")
    if pems.ca is not None:
        _certificate("ca_pem", pems.ca)


def generate() -> Pems:
    """A new CA, and a certificate by it for the names and addresses of this machine."""
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name, name = _name("NeoMind MQTT CA"), _name("NeoMind MQTT broker")
    basics = x509.BasicConstraints(ca=True, path_length=0)
    ca = _builder(ca_name, ca_name, ca_key.public_key()).add_extension(basics, critical=True)
    ca = ca.add_extension(_usage(signs=True), critical=True)
    server = _builder(name, ca_name, key.public_key())
    server = server.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    server = server.add_extension(x509.SubjectAlternativeName(_own_names()), critical=False)
    server = server.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    server = server.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
    )
    return Pems(
        cert=_pem(server.sign(ca_key, hashes.SHA256())),
        key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        ca=_pem(ca.sign(ca_key, hashes.SHA256())),
    )


def _builder(subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=365 * YEARS))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _usage(*, signs: bool) -> x509.KeyUsage:
    others = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
         "decipher_only"), False,
    )  # fmt: skip
    return x509.KeyUsage(digital_signature=True, key_cert_sign=signs, crl_sign=signs, **others)


def _own_names() -> list[x509.GeneralName]:
    names = ["localhost", socket.gethostname()]
    addresses = {"127.0.0.1", "::1", lan_address()}
    found: list[x509.GeneralName] = [x509.DNSName(name) for name in dict.fromkeys(names) if name.isascii()]
    return [*found, *(x509.IPAddress(ipaddress.ip_address(text)) for text in sorted(addresses))]


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(field: str, pem: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError as error:
        raise BadRequest(f"{field}: must be a certificate in PEM") from error


def _public(key: object) -> bytes:
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return bytes(key.public_bytes(encoding, form))  # type: ignore[attr-defined]  # the union of all kinds of keys


def _pem(cert: x509.Certificate) -> bytes:
    return cert.public_bytes(serialization.Encoding.PEM)
