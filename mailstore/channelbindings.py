"""
What a connection with TLS is known by to both its ends (RFC 5056): who signs in over it can prove that
nobody sits in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

#: Of this one connection (RFC 9266).
EXPORTER: Final = "tls-exporter"
#: Of the server's certificate (RFC 5929 section 4).
END_POINT: Final = "tls-server-end-point"

_LABEL, _LENGTH = b"EXPORTER-Channel-Binding", 32

#: Hashes in place of which SHA-256 is taken (RFC 5929 section 4.1).
_OLD = frozenset(("md5", "sha1"))


def channelBindings(transport: object) -> dict[str, bytes]:
    """
    The bindings of a connection, by the names of their types, as its server sees them.

    There are none without TLS, before its handshake is over, and before TLS 1.3: what is defined for earlier
    versions, C{tls-unique}, does not tell one connection from another where sessions are resumed.
    """
    handle: Any = None
    try:
        handle = transport.getHandle()  # type: ignore[attr-defined]
    except AttributeError:
        # It is no socket, or was one.
        pass
    if not hasattr(handle, "export_keying_material") or handle.get_protocol_version_name() != "TLSv1.3":
        return {}
    from OpenSSL.SSL import Error

    try:
        bindings = {EXPORTER: handle.export_keying_material(_LABEL, _LENGTH)}
    except Error:
        # The handshake is not over.
        return {}
    certificate = handle.get_certificate()
    if certificate is not None:
        parsed = certificate.to_cryptography()
        chosen = _hash(parsed.signature_hash_algorithm)
        if chosen is not None:
            bindings[END_POINT] = parsed.fingerprint(chosen)
    return bindings


def _hash(signed: HashAlgorithm | None) -> HashAlgorithm | None:
    """
    What a certificate is known by that was signed with a hash, if it was with one.
    """
    from cryptography.hazmat.primitives.hashes import SHA256

    return SHA256() if signed is not None and signed.name in _OLD else signed
