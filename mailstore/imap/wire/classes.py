"""
The character classes of the grammar, as the inside of regular expression sets:
C{re.compile(b"[" + ATOM_CHAR + b"]+")}.

Each stands below its ABNF from RFC 9051 section 9 (RFC 3501 has the same).
The tests compare every class with its ABNF for all 256 bytes.
"""

from __future__ import annotations

from typing import Final

# CHAR            = %x01-7F
# CTL             = %x00-1F / %x7F
# list-wildcards  = "%" / "*"
# quoted-specials = DQUOTE / "\"
# resp-specials   = "]"
# atom-specials   = "(" / ")" / "{" / SP / CTL / list-wildcards /
#                   quoted-specials / resp-specials

# ATOM-CHAR       = <any CHAR except atom-specials>
ATOM_CHAR: Final = rb"!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|}~"

# ASTRING-CHAR    = ATOM-CHAR / resp-specials
ASTRING_CHAR: Final = ATOM_CHAR + rb"\]"

# tag             = 1*<any ASTRING-CHAR except "+">
TAG_CHAR: Final = ASTRING_CHAR.replace(b"+", b"")

# list-char       = ATOM-CHAR / list-wildcards / resp-specials
LIST_CHAR: Final = ATOM_CHAR + rb"%*\]"

# TEXT-CHAR       = <any CHAR except CR and LF>
TEXT_CHAR: Final = rb"\x01-\x09\x0b\x0c\x0e-\x7f"

# QUOTED-CHAR     = <any TEXT-CHAR except quoted-specials> /
#                   "\" quoted-specials / UTF8-2 / UTF8-3 / UTF8-4
# This is its first line and every 8-bit byte.  Whether those are UTF-8 is
# looked at where it matters (RFC 6855 section 3).
QUOTED_PLAIN: Final = rb"\x01-\x09\x0b\x0c\x0e-!#-\[\]-\xff"

# base64-char     = ALPHA / DIGIT / "+" / "/"
BASE64_CHAR: Final = rb"A-Za-z0-9+/"

# mbase64-char    = the same, with "," for "/" (RFC 3501 section 5.1.3)
MODIFIED_BASE64_CHAR: Final = rb"A-Za-z0-9+,"

# ftext           = %d33-57 / %d59-126        (RFC 5322 section 3.6.8)
FIELD_NAME_CHAR: Final = rb"!-9;-~"

# objectid        = 1*255(ALPHA / DIGIT / "_" / "-")       (RFC 8474 section 7)
OBJECTID_CHAR: Final = rb"A-Za-z0-9_\-"

# rights          = astring  ;; only lowercase ASCII letters and digits are allowed
#                                                          (RFC 4314 section 7)
RIGHT_CHAR: Final = rb"a-z0-9"

# entry           = astring  ; MUST NOT contain "*" or "%"
# "MUST NOT contain non-ASCII characters or characters with octet values in the range
# 0x00 to 0x19" (RFC 5464 section 3.2); nor DEL or what is left of the controls, here.
ENTRY_CHAR: Final = rb" !-$&-)+-~"
