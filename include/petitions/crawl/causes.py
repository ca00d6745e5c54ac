"""Why a request got no answer: in words of the cause, and whether asking again can mend it.

`requests` wraps what happened in two or three errors of its own, whose names ("ConnectionError") tell nothing; the
cause is the innermost one. What comes of a setting of this machine, such as a proxy or a certificate, is the same at
each try: it is told at once, with the setting that mends it. No message holds an address of a proxy, which may have a
password in it.
"""

import http.client
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import requests
import urllib3
from requests.exceptions import ContentDecodingError, InvalidHeader, InvalidSchema, InvalidURL, MissingSchema
from requests.utils import select_proxy

from petitions.errors import ConfigError

_EXPIRED, _NOT_YET_VALID, _OTHER_NAME, _OTHER_ADDRESS = 10, 9, 62, 64  # of OpenSSL's X509_V_ERR
_OWN_AUTHORITY = (
    "; where its authority is one of your own, or a proxy looks into TLS, REQUESTS_CA_BUNDLE must name the file of that"
    " authority's certificate"
)
_TLS = {
    "WRONG_VERSION_NUMBER": "it does not speak TLS: should its address begin with http:// instead of https://?",
    "HTTP_REQUEST": "it does not speak TLS: should its address begin with http:// instead of https://?",
    "UNSAFE_LEGACY_RENEGOTIATION_DISABLED": "its TLS is too old for this machine's OpenSSL (OPENSSL_CONF may allow it)",
    "UNSUPPORTED_PROTOCOL": "its TLS is too old for this machine's OpenSSL (OPENSSL_CONF may allow it)",
    "DH_KEY_TOO_SMALL": "its TLS is too old for this machine's OpenSSL (OPENSSL_CONF may allow it)",
    "TLSV1_ALERT_PROTOCOL_VERSION": "it and this machine's OpenSSL have no version of TLS in common",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "it asks for a certificate of ours, and there is none",
}
_TUNNEL = re.compile(r"Tunnel connection failed: (4\d\d)")
_WORDS: list[tuple[type[BaseException] | tuple[type[BaseException], ...], str]] = [
    (socket.gaierror, "its name is not known"),
    (ConnectionRefusedError, "nothing listens there"),
    ((TimeoutError, urllib3.exceptions.TimeoutError, requests.Timeout), "no answer in time"),
    ((urllib3.exceptions.IncompleteRead, http.client.IncompleteRead), "the answer is not whole"),
    ((ConnectionError, http.client.RemoteDisconnected, ssl.SSLEOFError), "the connection was broken off"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why there is no answer; a lasting cause is there at each try until somebody changes a setting."""

    told: str
    is_lasting: bool = False


def find_cause(error: BaseException) -> Cause:
    """Name what a request failed by.

    Args:
        error: as requests or urllib3 raised it.
    """
    chain = list(_unwrap(error))
    lasting = next((told for item in reversed(chain) if (told := _find_lasting(item))), "")
    if lasting:
        return Cause(told=lasting, is_lasting=True)
    told = next((words for kind, words in _WORDS for item in chain if isinstance(item, kind)), type(error).__name__)
    of_ours = next((str(item) for item in chain if isinstance(item, ContentDecodingError | InvalidHeader)), told)
    is_proxy = any(isinstance(item, requests.exceptions.ProxyError) for item in chain)
    return Cause(told=f"by the proxy that HTTP_PROXY or HTTPS_PROXY names: {of_ours}" if is_proxy else of_ours)


def check_surroundings(base_url: str, proxies: Mapping[str, str], verify: object) -> None:
    """Refuse what the environment says of the proxy and the certificates for a site, if it cannot be.

    Raises:
        ConfigError: names the variable, and not its value.
    """
    proxy, scheme = select_proxy(base_url, proxies), base_url.partition(":")[0]
    if proxy and not _is_proxy(proxy):
        name = f"{scheme}_proxy" if scheme in proxies else "all_proxy"
        raise ConfigError(f"{name.upper()} must be the address of a proxy, such as http://proxy.example.org:3128")
    if isinstance(verify, str):
        _check_certificates(verify)


@cache  # each connection looks; a file of 150 certificates takes some 30 ms
def _check_certificates(path: str) -> None:
    is_folder = Path(path).is_dir()
    try:
        ssl.create_default_context(cafile=None if is_folder else path, capath=path if is_folder else None)
    except OSError as error:  # no such file, or no certificate in it: ssl.SSLError is one too
        raise ConfigError(
            f"REQUESTS_CA_BUNDLE must name a file of certificates, got {path!r} ({type(error).__name__})"
        ) from None


def _is_proxy(address: str) -> bool:
    try:
        parts = urllib3.util.parse_url(address if "://" in address else f"http://{address}")  # as requests reads it
    except urllib3.exceptions.LocationParseError:
        return False
    scheme = parts.scheme or ""
    return bool(parts.host) and (
        scheme in ("http", "https") or (scheme.startswith("socks") and find_spec("socks") is not None)
    )


def _unwrap(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came from, the innermost last."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _find_lasting(error: BaseException) -> str:
    """What a setting has to mend, in words; nothing where it may heal."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed ({error.verify_message.rstrip('.')}){_advise(error.verify_code)}"
    if isinstance(error, ssl.SSLError):
        return _TLS.get(error.reason or "", "")
    if isinstance(error, InvalidURL | InvalidSchema | MissingSchema):
        return "this is no address that can be asked"
    if isinstance(error, urllib3.exceptions.ProxyError) and "only use HTTP and not HTTPS" in str(error):
        return "the proxy does not speak TLS: HTTPS_PROXY must begin with http://, which names the way to the proxy"
    refused = _TUNNEL.search(str(error)) if isinstance(error, OSError) else None
    if refused and refused[1] == "407":
        return "the proxy asks who we are: HTTPS_PROXY must hold name and password before the host"
    return f"the proxy that HTTPS_PROXY names refuses it with status {refused[1]}" if refused else ""


def _advise(code: int) -> str:
    if code in (_EXPIRED, _NOT_YET_VALID):
        return "; is the clock of this machine right?"
    if code in (_OTHER_NAME, _OTHER_ADDRESS):
        return "; the address must be by the name that the certificate is for"
    return _OWN_AUTHORITY
