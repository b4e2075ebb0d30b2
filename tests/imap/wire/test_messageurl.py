"""
Tests of the URLs of messages.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.imap.wire.messageurl import MessageUrl, readMessageUrl
from mailstore.imap.wire.values import MAX_NUMBER64, FetchSection, ParseError, SectionText
from tests.imap.wire.strategies import examples


class MessageUrlTests(SynchronousTestCase):
    """
    L{readMessageUrl}.
    """

    def test_read(self) -> None:
        """
        Everything that a URL can say, in any case.
        """
        whole = FetchSection(b"BODY[]", peek=True)
        header = FetchSection(b"BODY[HEADER]", SectionText.HEADER, peek=True)
        first = FetchSection(b"BODY[1.2.MIME]", SectionText.MIME, (1, 2), peek=True)
        fields = FetchSection(
            b"BODY[HEADER.FIELDS (To Cc)]", SectionText.HEADER_FIELDS, fields=("To", "Cc"), peek=True
        )
        for url, expected in (
            (b"/Drafts/;UID=20", MessageUrl("Drafts", None, 20, whole)),
            (b"/inbox;UIDVALIDITY=385759045/;UID=20", MessageUrl("INBOX", 385759045, 20, whole)),
            (b"/a/b;uidvalidity=1/;uid=4294967295/;section=HEADER", MessageUrl("a/b", 1, 4294967295, header)),
            (b";UID=7/;SECTION=1.2.mime", MessageUrl("", None, 7, first)),
            (b"/Gr%C3%BCn%3b%25/;UID=1", MessageUrl("Gr\u00fcn;%", None, 1, whole)),
            (b";UID=1/;section=header.fields%20(To%20Cc)", MessageUrl("", None, 1, fields)),
            (
                b";UID=1/;PARTIAL=5.10",
                MessageUrl("", None, 1, FetchSection(b"BODY[]<5>", partial=(5, 10), peek=True)),
            ),
            (
                b";UID=1/;section=1/;partial=9",
                MessageUrl(
                    "", None, 1, FetchSection(b"BODY[1]<9>", part=(1,), partial=(9, MAX_NUMBER64), peek=True)
                ),
            ),
        ):
            self.assertEqual(readMessageUrl(url), expected)

    def test_bad(self) -> None:
        """
        What is no URL, leads to another server, or names no message.
        """
        for url in (
            b"",
            b"/",
            b"/INBOX",
            b"/INBOX;UID=1",
            b"INBOX/;UID=1",
            b"//;UID=1",
            b"imap://host/INBOX/;UID=1",
            b"http://host/",
            b"/INBOX/;UID=0",
            b"/INBOX/;UID=4294967296",
            b"/INBOX/;UID=1x",
            b"/INBOX/;UID=1/;SECTION=",
            b"/INBOX/;UID=1/;SECTION=X",
            b"/INBOX/;UID=1/;SECTION=1]<0.1>",
            b"/INBOX/;UID=1/;SECTION=1%5D%20BODY%5B",
            b"/INBOX/;UID=1/;PARTIAL=",
            b"/INBOX/;UID=1/;PARTIAL=1.0",
            b"/INBOX/;UID=1/;PARTIAL=9999999999999999999",
            b"/Gr%FCn/;UID=1",
            b"/Gr\xc3\xbcn/;UID=1",
            b"/a b/;UID=1",
            b"/a%/;UID=1",
            b"/a%4/;UID=1",
            b"/INBOX/;UID=1\r\n",
        ):
            self.assertRaises(ParseError, readMessageUrl, url)

    @examples
    @given(
        st.binary()
        | st.from_regex(rb"(/[a%4;]{1,5}/)?;UID=[0-9]{1,11}(/;SECTION=[1-3.A-Z%]{1,9})?", fullmatch=True)
    )
    def test_anyBytes(self, url: bytes) -> None:
        """
        Any bytes are read or refused.
        """
        try:
            readMessageUrl(url)
        except ParseError:
            pass
