"""
Where IMAP is spoken, and with which certificate: from texts in the config to
Twisted's endpoints.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from twisted.internet.endpoints import quoteStringArgument, serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IStreamServerEndpoint

from mailstore.config import Config, ConfigError

if TYPE_CHECKING:
    from twisted.internet.ssl import CertificateOptions

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

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


def listenEndpoint(reactor: Any, description: str, config: Config) -> IStreamServerEndpoint:
    """
    The endpoint that a description names; an C{ssl:} one that names no files
    has those of C{[tls]}.

    @raise ConfigError: it cannot be understood.
    """
    kind = description.partition(":")[0]
    if kind == "ssl" and "privateKey=" not in description:
        if not config.certificate:
            raise ConfigError(f"{description}: TLS needs [tls] certificate and key in the config file")
        tlsContext(config)
        files = f":privateKey={_quoted(config.key)}:certKey={_quoted(config.certificate)}"
    else:
        files = ""
    try:
        endpoint: IStreamServerEndpoint = serverFromString(reactor, description + files)  # type: ignore[no-untyped-call]
    except ImportError as error:
        raise ConfigError(f"{description}: {_NO_TLS}") from error
    except Exception as error:
        # Twisted and its plugins raise what they like; whatever it is, it is
        # about this text.
        raise ConfigError(f"cannot listen on {description!r}: {_whyNoEndpoint(error)}") from error
    return endpoint


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


def _quoted(path: str) -> str:
    quoted: str = quoteStringArgument(path)  # type: ignore[no-untyped-call]
    return quoted


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(1 << 20)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or 'cannot be read'}") from error
