"""A certificate authority of a test's own, and what it signs."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates of servers; `path` is the file of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of one's own")])
        is_authority = x509.BasicConstraints(ca=True, path_length=0)
        own = self._begin(self._name, self._key, days=9).add_extension(is_authority, critical=True)
        self.path = self._write("authority.pem", own)

    def make_context(self, *, address: str = "127.0.0.1", days: int = 9) -> ssl.SSLContext:
        """What a server at an address speaks TLS by; of less than no days it has expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        path = self._write("server.pem", self._begin(name, key, days=days).add_extension(alternative, False), key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _begin(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - timedelta(days=99)).not_valid_after(now + timedelta(days=days))

    def _write(
        self, name: str, certificate: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey | None = None
    ) -> Path:
        path, pem = self._folder / name, serialization.Encoding.PEM
        content = certificate.sign(self._key, hashes.SHA256()).public_bytes(pem)
        if key:
            content += key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(content)
        return path
