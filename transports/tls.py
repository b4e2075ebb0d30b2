"""
Mutual TLS for channels: L{TlsCredentials}, and what it takes to use them.

Both sides show a certificate, both check the other's against their C{ca}, and
nothing is exchanged before both have.  TLS 1.3 only: both ends are this
library, and it has no renegotiation, no compression and no weak choices to make.

  - The connecting side checks that the listener's certificate carries C{peer},
    or the host that it connects to when C{peer} is empty.
  - The listening side lets in who has any certificate of its C{ca}, or, when
    C{peer} is given, who has one that carries this name.

A certificate carries the DNS names and IP addresses of its subjectAltName, no
others.  Its extended key usage, if it has one, must allow the side it is used
on (C{serverAuth}, C{clientAuth}).
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import re
import ssl
import stat
from collections.abc import Sequence
from socket import socket as Socket
from typing import Any, ClassVar

import attrs
from twisted.logger import Logger

from transports._certificates import faultOfAuthorities, faultOfChain
from transports._opening import Codec, Greeting, T, Wait
from transports.errors import BadDescription, CannotConnect

#: Names that a certificate can carry and a host can have, as they are written in DNS.
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.I | re.A)

#: What OpenSSL calls it when a peer shows no certificate though it must.
_NO_CERTIFICATE = "PEER_DID_NOT_RETURN_A_CERTIFICATE"

#: What it calls something that is not TLS at all.
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE")

#: The alert C{protocol_version}.  OpenSSL says nothing to a peer that does not
#: speak TLS; one of ours understands this, see L{transports._framing.checkOpening}.
_ALERT = b"\x15\x03\x03\x00\x02\x02\x46"

#: What it calls a certificate that is not safe enough to be shown.
_WEAK = ("EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK")

#: The alerts by which a peer refuses a certificate, by a part of their names.
_REFUSALS = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED")


def _now() -> datetime.datetime:
    """
    The time of day by which certificates are valid or not.
    """
    return datetime.datetime.now(datetime.UTC)


def isName(name: str) -> bool:
    """
    Whether this is an IP address, or what can be a host's name in DNS (one
    with other letters in its C{xn--} form).
    """
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return len(name) <= 253 and _NAME.fullmatch(name) is not None
    return True


def _sameName(one: str, other: str) -> bool:
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return one.lower() == other.lower()


@attrs.frozen
class TlsCredentials:
    """
    What one side shows and demands.  The files are read when a transport is
    made with it.
    """

    _log: ClassVar[Logger] = Logger()

    #: Path of this side's certificate, in PEM form, with those that lead from it to the C{ca}.
    certificate: str
    #: Path of its private key, in PEM form and not encrypted.
    key: str
    #: Path of the certificates, in PEM form, that vouch for the peer's.
    ca: str
    #: The name that the peer's certificate must carry; C{""} for the host when
    #: connecting, for any when listening.
    peer: str = ""

    def load(self) -> TlsContexts:
        """
        Read the files.

        @raise BadDescription: one cannot be used, or its certificate has
            expired or is not valid yet; the message names it.
        """
        if self.peer and not isName(self.peer):
            raise BadDescription(f"peer: {self.peer!r} is neither a name nor an address")
        for option, path in (("certificate", self.certificate), ("key", self.key), ("ca", self.ca)):
            try:
                with open(path, "rb"):
                    pass
            except (OSError, ValueError) as error:
                why = error.strerror if isinstance(error, OSError) else str(error)
                raise BadDescription(f"{option}: cannot read {path}: {why}") from error
        for option, path in (("certificate", self.certificate), ("ca", self.ca)):
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
            except ssl.SSLError as error:
                raise BadDescription(f"{option}: {path} holds no certificate in PEM form") from error
        self._checkDates()
        connecting = self._context(ssl.PROTOCOL_TLS_CLIENT)
        # The name is in subjectAltName or nowhere.
        connecting.hostname_checks_common_name = False
        listening = self._context(ssl.PROTOCOL_TLS_SERVER)
        listening.verify_mode = ssl.CERT_REQUIRED
        # A channel is never resumed.
        listening.num_tickets = 0
        if os.stat(self.key).st_mode & (stat.S_IROTH | stat.S_IWOTH):
            self._log.warn(
                "{key}: this private key is open to every user; its mode should be 0600", key=self.key
            )
        return TlsContexts(connecting, listening, self.peer)

    def _checkDates(self) -> None:
        """
        Refuse what no peer would take, and a C{ca} that takes no peer.
        """
        for option, path, fault in (
            ("certificate", self.certificate, faultOfChain),
            ("ca", self.ca, faultOfAuthorities),
        ):
            with open(path, "rb") as file:
                why = fault(file.read(), _now())
            if why is not None:
                raise BadDescription(f"{option}: the certificate in {path} {why}")

    def _context(self, protocol: int) -> ssl.SSLContext:
        context = ssl.SSLContext(protocol)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(self.ca)

        def password() -> str:
            # Without this, the terminal would be asked.
            raise BadDescription(f"key: {self.key} is encrypted; write it without a password, mode 0600")

        try:
            context.load_cert_chain(self.certificate, self.key, password)
        except ssl.SSLError as error:
            if error.reason in _WEAK:
                raise BadDescription(
                    f"certificate: {self.certificate} is too weak: {reasonOf(error)}"
                ) from error
            if error.reason == "KEY_VALUES_MISMATCH":
                why = f"{self.key} is not the key of the certificate in {self.certificate}"
            else:
                why = f"{self.key} holds no private key in PEM form that can be used: {reasonOf(error)}"
            raise BadDescription(f"key: {why}") from error
        return context


@attrs.frozen
class TlsContexts:
    """
    Credentials that have been read.
    """

    #: For the side that connects.
    connecting: ssl.SSLContext
    #: For the side that listens.
    listening: ssl.SSLContext
    #: See L{TlsCredentials.peer}.
    peer: str


def reasonOf(error: ssl.SSLError) -> str:
    """
    What OpenSSL says of an error, in lower case words.
    """
    return (getattr(error, "reason", None) or "unknown").lower().replace("_", " ")


def explain(error: OSError) -> str:
    """
    Say in words why a handshake, or the first read after it, has failed.
    """
    reason = getattr(error, "reason", None) or ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the peer's certificate is refused: {error.verify_message}"
    if reason == _NO_CERTIFICATE:
        return "the peer showed no certificate"
    if reason in _NOT_TLS:
        return "the peer does not speak TLS"
    if "_ALERT_" in reason:
        what = reason.partition("_ALERT_")[2]
        said = what.lower().replace("_", " ")
        if any(each in what for each in _REFUSALS):
            return f"the peer refused our certificate: {said}"
        return f"the peer broke the TLS handshake off: {said}"
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        return f"the TLS handshake failed: {reasonOf(error)}"
    return "the peer hung up during the TLS handshake; does it speak TLS?"


class TlsGreeting(Greeting[T]):
    """
    A greeting with a handshake before it.
    """

    socket: ssl.SSLSocket

    def __init__(
        self,
        reactor: Any,
        connected: Socket,
        codec: Codec[T],
        context: ssl.SSLContext,
        *,
        name: str | None = None,
        first: bytes = b"",
    ) -> None:
        """
        @param context: one of L{TlsContexts}.
        @param name: what the listener's certificate must carry; C{None} on the
            listening side, which looks for itself, see L{carries}.
        @param first: see L{Greeting}.
        """
        super().__init__(reactor, connected, codec, first=first)
        self._context = context
        self._name = name
        self._wrapped = False

    def _prepare(self) -> Wait:
        try:
            if not self._wrapped:
                self.socket = self._context.wrap_socket(
                    self.socket,
                    server_side=self._name is None,
                    server_hostname=self._name,
                    do_handshake_on_connect=False,
                )
                self._wrapped = True
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            return Wait.READABLE
        except ssl.SSLWantWriteError:
            return Wait.WRITABLE
        except OSError as error:
            if self._name is None and getattr(error, "reason", None) in _NOT_TLS:
                self._sayWhatIsSpoken()
            raise CannotConnect(explain(error)) from error
        return Wait.NOTHING

    def _sayWhatIsSpoken(self) -> None:
        """
        Tell a peer that does not speak TLS that it must.
        """
        try:
            # Past TLS, which has failed.
            Socket.send(self.socket, _ALERT)
        except OSError:
            # It is gone already.
            pass

    def _receive(self, size: int) -> bytes | None:
        try:
            return self.socket.recv(size)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except ssl.SSLError as error:
            raise CannotConnect(explain(error)) from error
        except OSError:
            return b""

    def _send(self, data: bytes, descriptors: Sequence[int]) -> int:
        return self.socket.send(data)

    def carries(self, name: str) -> bool:
        """
        Whether the certificate that the peer showed carries a name.
        """
        shown: Any = self.socket.getpeercert() or {}
        return any(
            kind in ("DNS", "IP Address") and _sameName(name, value.strip())
            for kind, value in shown.get("subjectAltName", ())
        )
