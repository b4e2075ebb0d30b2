"""
Bytes to text: charsets by name, and encoded words in header fields (RFC 2047).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from encodings.aliases import aliases

# Python's codecs are looked up only by names known beforehand: a codec search
# for a name from the wire would import by that name, and remember it for ever.
# Those left out are no charsets of mail, and some of them are slow.
_UNFIT = {
    "idna",
    "punycode",
    "unicode_escape",
    "raw_unicode_escape",
    "undefined",
    "mbcs",
    "oem",
    "rot_13",
} | {each + "_codec" for each in ("base64", "bz2", "hex", "quopri", "uu", "zlib")}
_CODECS = {name: codec for name, codec in aliases.items() if codec not in _UNFIT}
_CODECS |= {codec: codec for codec in _CODECS.values()}
_CODECS |= {
    each: each for each in ("koi8_u", "koi8_t", "cp720", "cp737", "cp856", "cp874", "cp875", "cp1006")
}

# What is written in mail often is a superset of what it is called.
_CODECS |= {name: "cp949" for name, codec in _CODECS.items() if codec == "euc_kr"}
_CODECS |= {name: "gb18030" for name, codec in _CODECS.items() if codec in ("gb2312", "gbk")}
_CODECS |= {name: "cp932" for name, codec in _CODECS.items() if codec == "shift_jis"}
_CODECS |= {name: "iso2022_jp_ext" for name, codec in _CODECS.items() if codec == "iso2022_jp"}
_CODECS |= {"x_sjis": "cp932", "x_gbk": "gb18030", "windows_874": "cp874", "iso_8859_8_i": "iso8859_8"}

_SEPARATORS = re.compile(r"[^a-z0-9]+")

# encoded-word = "=?" charset "?" encoding "?" encoded-text "?=" (RFC 2047
# section 2, with the language of RFC 2231 section 5).  Spaces in the text are
# not allowed and common.
_WORD = re.compile(r"=\?([^?\s*]{1,64})(?:\*[^?\s]{0,64})?\?([bBqQ])\?([^?]*+)\?=")

_NOT_BASE64 = bytes(each for each in range(256) if not re.match(rb"[A-Za-z0-9+/=]", bytes((each,))))


def codecFor(charset: str) -> str | None:
    """
    The codec for a charset's name, in any case; C{None} when there is none.
    """
    return _CODECS.get(_SEPARATORS.sub("_", charset.lower()).strip("_"))


def decodeCharset(data: bytes, charset: str) -> str:
    """
    Text in a charset.  Bytes that the charset lacks become U+FFFD; with a
    charset that is unknown or is ASCII the bytes are read as UTF-8 if they
    are that, and else as Latin-1.
    """
    codec = codecFor(charset)
    if codec is not None and codec != "ascii":
        try:
            # Some codecs give half a surrogate pair, which is no text.
            return data.decode(codec, "replace").encode("utf-8", "replace").decode("utf-8")
        except (LookupError, ValueError):
            pass
    return decodeUnlabelled(data)


def decodeUnlabelled(data: bytes) -> str:
    """
    Text in a charset that nothing tells: UTF-8, or else Latin-1.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def onlyBase64(data: bytes) -> bytes:
    """
    The bytes of C{data} that are letters of base64 or its padding.
    """
    return data.translate(None, _NOT_BASE64)


def decodeBase64(data: bytes) -> bytes:
    """
    What base64 (RFC 2045 section 6.8) stands for; what is no base64 in it is
    passed over, and an incomplete end is left out.
    """
    kept = onlyBase64(data)
    kept = kept.partition(b"=")[0]
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


def decodeBase64Pieces(pieces: Iterable[bytes], most: int) -> bytes:
    """
    At least the first C{most} bytes of what L{decodeBase64} gives of all pieces together, in the
    memory that one piece and the result take.
    """
    decoded = bytearray()
    held = b""
    for piece in pieces:
        kept, padding, _ = (held + onlyBase64(piece)).partition(b"=")
        if padding:
            held = kept
            break
        whole = len(kept) - len(kept) % 4
        decoded += binascii.a2b_base64(kept[:whole])
        held = kept[whole:]
        if len(decoded) >= most:
            return bytes(decoded)
    decoded += decodeBase64(held)
    return bytes(decoded)


def decodeQuotedPrintable(data: bytes, *, header: bool = False) -> bytes:
    """
    What quoted-printable (RFC 2045 section 6.7), or with C{header} the Q
    encoding (RFC 2047 section 4.2), stands for.
    """
    return binascii.a2b_qp(data, header=header)


def decodeWords(value: bytes) -> str:
    """
    The text of an unfolded header value.

    Neighbouring encoded words of one charset are joined before they are
    decoded, since writers cut characters in two; the white space between
    encoded words is no text (RFC 2047 section 6.2).
    """
    text = decodeUnlabelled(value)
    if "=?" not in text:
        return text
    result: list[str] = []
    pending: list[bytes] = []
    charset = ""
    end = 0
    for match in _WORD.finditer(text):
        between = text[end : match.start()]
        if between.strip(" \t\r\n") or not pending or match[1].lower() != charset:
            if pending:
                result.append(decodeCharset(b"".join(pending), charset))
                pending.clear()
            if between.strip(" \t\r\n") or end == 0:
                result.append(between)
        charset = match[1].lower()
        encoded = match[3].encode("utf-8", "replace")
        pending.append(
            decodeBase64(encoded) if match[2] in "bB" else decodeQuotedPrintable(encoded, header=True)
        )
        end = match.end()
    if pending:
        result.append(decodeCharset(b"".join(pending), charset))
    result.append(text[end:])
    return "".join(result)
