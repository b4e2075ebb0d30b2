"""
The header fields that whoever delivers adds to a message (RFC 5321 section 4.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import formatdate

from mailstore.lmtp.commands import Envelope, Path


def fields(
    envelope: Envelope, recipients: Sequence[Path], greeter: str, peer: str, host: str, now: float
) -> bytes:
    """
    C{Return-Path}, C{Delivered-To} and C{Received}, for the head of a message.

    A message with several recipients is the same for all of them, so that it is kept
    once; it names none (RFC 5321 section 7.6 would have it so too).

    @param greeter: who LHLO said it was.
    @param peer: the address that it comes from; C{""} for this machine.
    @param host: this host.
    @param now: seconds since 1970.
    """
    lines = [f"Return-Path: <{envelope.sender.written}>"]
    alone = recipients[0] if len(recipients) == 1 else None
    if alone is not None:
        lines.append(f"Delivered-To: {alone.written}")
    lines.append(f"Received: from {greeter} ({f'[{peer}]' if peer else 'local'})")
    # RFC 3848; RFC 6531 section 4.3.
    lines.append(f"\tby {host} (mailstore) with {'UTF8LMTP' if envelope.utf8 else 'LMTP'}")
    if alone is not None:
        lines.append(f"\tfor <{alone.written}>")
    lines[-1] += ";"
    lines.append(f"\t{formatdate(now, localtime=False)}")
    return "".join(f"{line}\r\n" for line in lines).encode()
