"""
Messages that nobody would send but to see what happens.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.message.mails import lines

MIXED = "Content-Type: multipart/mixed; boundary=b"

MULTIPART = lines(MIXED, "")


def _nested(depth: int, boundary: Callable[[int], bytes], closed: bool) -> bytes:
    """
    Multiparts in multiparts.
    """
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="%b"\r\n\r\n--%b\r\n' % (boundary(at), boundary(at))
        for at in range(depth)
    )
    ends = (b"\r\n--%b--\r\n" % boundary(at) for at in reversed(range(depth)))
    return opened + b"\r\nin the middle" + (b"".join(ends) if closed else b"")


def _numbered(at: int) -> bytes:
    return b"b%d" % at


#: Each by what is horrible about it.  Made when they are wanted: some are large.
HORRORS: dict[str, Callable[[], bytes]] = {
    "an empty line": lambda: b"\r\n",
    "10,000 parts": lambda: MULTIPART + b"--b\r\n\r\nx\r\n" * 10_000 + b"--b--\r\n",
    "10,000 empty parts": lambda: MULTIPART + b"--b\r\n" * 10_000 + b"--b--\r\n",
    "1,000 multiparts deep": lambda: _nested(1_000, _numbered, True),
    "1,000 multiparts deep, none closed": lambda: _nested(1_000, _numbered, False),
    "1,000 multiparts deep, of one boundary": lambda: _nested(1_000, lambda at: b"b", True),
    "1,000 multiparts deep, each boundary in the next": lambda: _nested(
        1_000, lambda at: b"b" * (at + 1), True
    ),
    "1,000 messages deep": lambda: (
        b"Content-Type: message/rfc822\r\n\r\n" * 1_000 + b"Subject: x\r\n\r\nx\r\n"
    ),
    "messages and multiparts in turn": lambda: (
        (b"Content-Type: message/rfc822\r\n\r\n" + MULTIPART + b"--b\r\n") * 500
    ),
    "a header of 10 MB in one field": lambda: b"Subject: " + b"x" * 10_000_000 + b"\r\n\r\nbody\r\n",
    "a header of 10 MB in one folded field": lambda: (
        b"Subject: x" + b"\r\n =?utf-8?q?x?=" * 700_000 + b"\r\n\r\nbody\r\n"
    ),
    "a header of 10 MB in many fields": lambda: b"Subject: x\r\n" + b"X: y\r\n" * 1_700_000 + b"\r\nbody\r\n",
    "a header of a part of 5 MB": lambda: (
        MULTIPART + b"--b\r\n" + b"X: y\r\n" * 850_000 + b"\r\nx\r\n--b--\r\n"
    ),
    "200,000 addresses": lambda: b"To: " + b"a@b, " * 200_000 + b"\r\n\r\nx\r\n",
    "100,000 open groups": lambda: b"Cc: " + b"g: " * 100_000 + b"\r\n\r\nx\r\n",
    "100,000 open comments": lambda: b"From: " + b"(" * 100_000 + b"a@b\r\n\r\nx\r\n",
    "100,000 references": lambda: b"References: " + b"<a@b> " * 100_000 + b"\r\n\r\nx\r\n",
    "10,000 parameters": lambda: (
        b"Content-Type: text/plain" + b"".join(b"; a%d=b" % at for at in range(10_000)) + b"\r\n\r\nx\r\n"
    ),
    "10,000 sections of a parameter": lambda: (
        b"Content-Type: text/plain" + b"".join(b"; name*%d=b" % at for at in range(10_000)) + b"\r\n\r\nx\r\n"
    ),
    "10,000 languages": lambda: b"Content-Language: " + b"en, " * 10_000 + b"\r\n\r\nx\r\n",
    "no boundary": lambda: b"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
    "an empty boundary": lambda: b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n\r\nx\r\n----\r\n',
    "a boundary that is not there": lambda: MULTIPART + b"--c\r\n\r\nx\r\n--c--\r\n",
    "a boundary of 100,000 letters": lambda: (
        MULTIPART.replace(b"=b", b"=" + b"b" * 100_000) + (b"--" + b"b" * 100_000 + b"\r\n\r\nx\r\n") * 3
    ),
    "a boundary with quotes and a NUL": lambda: (
        MULTIPART.replace(b"=b", b'="a\\"b\0c"') + b'--a"b\0c\r\n\r\nx\r\n--a"b\0c--\r\n'
    ),
    "a boundary that is another's beginning": lambda: (
        MULTIPART
        + lines("--b", MIXED.replace("=b", "=bb"), "", "--bb", "", "x", "--b", "", "y", "--bb--", "--b--")
    ),
    "an outer boundary within the inner part": lambda: (
        MULTIPART
        + lines("--b", MIXED.replace("=b", "=c"), "", "--c", "", "x", "--b", "", "y", "--c", "", "z", "--b--")
    ),
    "closed before it is opened": lambda: MULTIPART + b"--b--\r\n--b\r\n\r\nx\r\n",
    "a header that a boundary ends": lambda: MULTIPART + b"--b\r\nContent-Type: text/html\r\n--b--\r\n",
    "a line of 5 MB": lambda: b"Subject: x\r\n\r\n" + b"y" * 5_000_000,
    "5 MB of line ends": lambda: b"Subject: x\r\n\r\n" + b"\n" * 2_500_000,
    "carriage returns alone": lambda: b"Subject: x\r\r" + b"\r" * 100_000,
    "every byte": lambda: b"Subject: " + bytes(range(256)) + b"\r\n\r\n" + bytes(range(256)) * 10,
    "broken base64": lambda: b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=A=B-\xff" * 300_000,
    "broken quoted-printable": lambda: (
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\r\n=x=" * 300_000
    ),
    "text in no charset": lambda: (
        b"Content-Type: text/plain; charset=none/such\r\n\r\n" + b"\xff\xfe" * 1_000
    ),
    "a digest of nothing": lambda: b"Content-Type: multipart/digest; boundary=b\r\n\r\n" + b"--b\r\n" * 500,
    "an encoded message": lambda: (
        b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\neA==\r\n"
    ),
}
