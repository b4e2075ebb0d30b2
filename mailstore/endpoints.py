"""
Where clients and mail servers connect, and with which certificate and secret: from texts in the config to
Twisted's endpoints.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
from typing import TYPE_CHECKING, Any

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from zope.interface import implementer

from mailstore.config import Config, ConfigError
from mailstore.starttls import tlsFactory

if TYPE_CHECKING:
    from twisted.internet.ssl import CertificateOptions

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

_INTERFACE = re.compile(r"(?:^|:)interface=((?:[^:\\]|\\.)*)")

#: What Python says of a wrong description, and what a person is told.
_PLAINER = (
    (re.compile(r"unexpected keyword argument '(\w+)'"), "there is no option {0!r}"),
    (re.compile(r"missing \d+ required positional arguments?: '(\w+)'"), "{0} is missing"),
    (re.compile(r"takes .* positional arguments? but"), "too many parts between colons"),
    (re.compile(r"invalid literal for int\(\) .*: '(.*)'"), "{0!r} is no whole number"),
)

_NO_TLS = "TLS needs pyOpenSSL, which is not installed: pip install 'mailstore[tls]'"


def tlsContext(config: Config) -> CertificateOptions | None:
    """
    What STARTTLS is done with; C{None} when there is no certificate.

    @raise ConfigError: a file cannot be read or is none of the kind, the key
        does not fit the certificate, or TLS is not installed.
    """
    if not config.certificate:
        return None
    try:
        from OpenSSL import SSL, crypto
        from twisted.internet.ssl import CertificateOptions
    except ImportError as error:
        raise ConfigError(_NO_TLS) from error
    certificates = _CERTIFICATE.findall(_read(config.certificate))
    if not certificates:
        raise ConfigError(f"{config.certificate}: no PEM certificate in it")
    try:
        first, *chain = [crypto.load_certificate(crypto.FILETYPE_PEM, each) for each in certificates]
    except (crypto.Error, ValueError) as error:
        raise ConfigError(f"{config.certificate}: not a valid certificate") from error
    try:
        key = crypto.load_privatekey(crypto.FILETYPE_PEM, _read(config.key), b"")
    except (crypto.Error, ValueError, TypeError) as error:
        raise ConfigError(f"{config.key}: no PEM private key without a passphrase in it") from error
    options = CertificateOptions(privateKey=key, certificate=first, extraCertChain=chain)
    try:
        options.getContext().check_privatekey()
    except (SSL.Error, ValueError) as error:
        raise ConfigError(f"{config.key}: not the key of {config.certificate}") from error
    return options


def lastingSecret(config: Config) -> bytes:
    """
    Bytes that only this server and its like know, the same at every start, for
    what must not differ between them (L{mailstore.auth.portal.StoreChecker}); C{b""} if
    there are none.

    @raise ConfigError: the key cannot be read.
    """
    lasting = config.secret.encode()
    if not lasting and config.key:
        lasting = _read(config.key)
    return hashlib.sha256(b"mailstore sign-in\0" + lasting).digest() if lasting else b""


@implementer(IStreamServerEndpoint)
class TlsEndpoint:
    """
    Another endpoint, with TLS from the first byte on.
    """

    def __init__(self, endpoint: IStreamServerEndpoint, options: CertificateOptions, reactor: Any) -> None:
        self._endpoint = endpoint
        self._options = options
        self._reactor = reactor

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        See L{IStreamServerEndpoint.listen}.
        """
        return self._endpoint.listen(tlsFactory(protocolFactory, self._options, self._reactor))


def listenEndpoint(
    reactor: Any, description: str, options: CertificateOptions | None
) -> IStreamServerEndpoint:
    """
    The endpoint that a description names.

    @param options: what TLS is done with at an C{ssl:} endpoint that names no
        files of its own.
    @raise ConfigError: it cannot be understood.
    """
    kind, _, rest = description.partition(":")
    own = kind == "ssl" and "privateKey=" not in rest
    if own and options is None:
        raise ConfigError(f"{description}: TLS needs [tls] certificate and key in the config file")
    try:
        plain = f"tcp:{rest}" if own else description
        endpoint: IStreamServerEndpoint = serverFromString(reactor, plain)  # type: ignore[no-untyped-call]
    except ImportError as error:
        raise ConfigError(f"{description}: {_NO_TLS}") from error
    except Exception as error:
        # Twisted and its plugins raise what they like; whatever it is, it is
        # about this text.
        raise ConfigError(f"cannot listen on {description!r}: {_whyNoEndpoint(error)}") from error
    return TlsEndpoint(endpoint, options, reactor) if own and options is not None else endpoint


def localEndpoint(reactor: Any, description: str) -> IStreamServerEndpoint:
    """
    The endpoint that a description names, where only this machine can connect.

    @raise ConfigError: it cannot be understood, or others could connect there.
    """
    kind, _, rest = description.partition(":")
    if kind in ("tcp", "tcp6", "ssl"):
        interface = _INTERFACE.search(rest)
        # In a description "\\:" is a colon.
        host = interface[1].replace("\\:", ":") if interface else ""
        if not isLoopback(host):
            shown = f"interface {host}" if host else "every interface"
            raise ConfigError(
                f"{description}: mail is taken without asking who brings it, so not on {shown}: "
                "use unix:PATH, or add ':interface=127.0.0.1'"
            )
    return listenEndpoint(reactor, description, None)


def isLoopback(host: str) -> bool:
    """
    Whether only this machine can reach a network address.
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def isLocal(address: object) -> bool:
    """
    Whether only this machine can connect to a port with this address.
    """
    return isinstance(address, UNIXAddress) or isLoopback(getattr(address, "host", ""))


def _whyNoEndpoint(error: Exception) -> str:
    """
    What is wrong with a description, by an exception that was written for programmers.
    """
    text = " ".join(str(error).split())
    for pattern, sentence in _PLAINER:
        found = pattern.search(text)
        if found is not None:
            return sentence.format(*found.groups())
    return text or type(error).__name__


def whyNotListening(description: str, error: BaseException) -> str:
    """
    The sentence about an endpoint that could not be opened.
    """
    if isinstance(error, CannotListenError):
        reason = getattr(error.socketError, "strerror", None) or error.socketError
        return f"cannot listen on {description}: {reason}"
    if isinstance(error, OSError):
        return f"cannot listen on {description}: {error.strerror or error}"
    return f"cannot listen on {description}: {' '.join(str(error).split()) or type(error).__name__}"


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}") from error
