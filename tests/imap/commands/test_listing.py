"""
Tests of LIST, LSUB, SUBSCRIBE and UNSUBSCRIBE.
"""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mailstore.errors import StaleListing, StoreUnavailable
from mailstore.imap.limits import ImapLimits
from tests.imap.support import Server


class ListCase(SynchronousTestCase):
    """
    A client and some folders.
    """

    def setUp(self) -> None:
        """
        Personal, public and other users' folders; some parents are no folders.
        """
        self.server = Server(self)
        for name in (
            "Sent",
            "Lists/a/b",
            "Lists/c",
            "INBOX/old",
            "Public Folders/Sales",
            "Public Folders/Sales/2026",
            "Other Users/bob/INBOX",
        ):
            self.server.store.make(name)
        self.client = self.server.client()

    def listed(self, arguments: bytes, command: bytes = b"LIST") -> dict[str, str]:
        """
        Names and attributes of an answer; each name must stand once.
        """
        *lines, tagged = self.client.ask(command + b" " + arguments)
        self.assertEqual(tagged, b"T OK " + command + b" completed")
        found: dict[str, str] = {}
        for line in lines:
            kind, _, rest = line.decode("ascii").partition(" (")
            self.assertEqual(kind, f"* {command.decode()}")
            attributes, _, name = rest.partition(') "/" ')
            name = name.strip('"')
            self.assertNotIn(name, found)
            found[name] = attributes
        return found


class ListTests(ListCase):
    """
    LIST.
    """

    def test_everything(self) -> None:
        """
        C{*} gives all folders with their attributes, and parents that are none.
        """
        self.assertEqual(
            self.listed(b'"" "*"'),
            {
                "INBOX": "\\HasChildren",
                "INBOX/old": "\\HasNoChildren",
                "Lists": "\\NonExistent \\Noselect \\HasChildren",
                "Lists/a": "\\NonExistent \\Noselect \\HasChildren",
                "Lists/a/b": "\\HasNoChildren",
                "Lists/c": "\\HasNoChildren",
                "Sent": "\\HasNoChildren \\Sent",
                "Other Users": "\\NonExistent \\Noselect \\HasChildren",
                "Other Users/bob": "\\NonExistent \\Noselect \\HasChildren",
                "Other Users/bob/INBOX": "\\HasNoChildren",
                "Public Folders": "\\Noselect \\HasChildren",
                "Public Folders/Sales": "\\HasChildren",
                "Public Folders/Sales/2026": "\\HasNoChildren",
            },
        )

    def test_oneLevel(self) -> None:
        """
        C{%} stays on its level.
        """
        self.assertEqual(
            set(self.listed(b'"" %')), {"INBOX", "Lists", "Sent", "Other Users", "Public Folders"}
        )
        self.assertEqual(set(self.listed(b'"" Lists/%')), {"Lists/a", "Lists/c"})
        self.assertEqual(set(self.listed(b'"Public Folders/" "%"')), {"Public Folders/Sales"})

    def test_literalPattern(self) -> None:
        """
        Reference and pattern may be literals or quoted.
        """
        self.client.say(b"a LIST {0+}\r\n {4+}\r\nSent\r\n")
        self.assertEqual(self.client.heard()[0], b'* LIST (\\HasNoChildren \\Sent) "/" Sent')

    def test_inbox(self) -> None:
        """
        INBOX is found in any case; other names are not.
        """
        self.assertEqual(set(self.listed(b'"" inBox')), {"INBOX"})
        self.assertEqual(set(self.listed(b'"" Inbox/%')), {"INBOX/old"})
        self.assertEqual(self.listed(b'"" sent'), {})

    def test_delimiter(self) -> None:
        """
        An empty pattern asks for the separator (RFC 9051 section 6.3.9).
        """
        for reference in (b'""', b'"Public Folders/"'):
            self.assertEqual(
                self.client.ask(b"LIST " + reference + b' ""'),
                [b'* LIST (\\Noselect) "/" ""', b"T OK LIST completed"],
            )

    def test_nothing(self) -> None:
        """
        A pattern that nothing matches is answered with nothing.
        """
        self.assertEqual(self.listed(b'"" nope*'), {})

    def test_names(self) -> None:
        """
        Names with any legal character come back as they can be asked for.
        """
        for name in ('quo"te', "back\\slash", "nil", "Entwürfe & mehr", "☃", "a]b", "per%cent", "st*r"):
            self.server.store.make(f"Odd/{name}")
        *lines, _ = self.client.ask(b'LIST "" Odd/%')
        self.assertEqual(len(lines), 8)
        for line in lines:
            encoded = line.partition(b'"/" ')[2]
            if b"%" in encoded or b"*" in encoded:
                continue
            self.assertEqual(self.client.ask(b'LIST "" ' + encoded)[0], line)
            self.assertEqual(self.client.ask(b"STATUS " + encoded + b" (MESSAGES)")[-1][:4], b"T OK")

    def test_bounds(self) -> None:
        """
        A pattern that is too long, or has too many wildcards, is refused.
        """
        self.assertEqual(self.client.ask(b'LIST "" "' + b"x" * 2000 + b'"')[-1][:12], b"T NO [LIMIT]")
        self.assertEqual(self.client.ask(b'LIST "" "' + b"x%" * 20 + b'"')[-1][:12], b"T NO [LIMIT]")

    def test_storeFails(self) -> None:
        """
        A store that cannot answer makes a NO, never half a list with OK.
        """
        for error, code in ((StoreUnavailable("x"), b"UNAVAILABLE"), (StaleListing("x"), b"INUSE")):
            self.server.store.failures["folders"] = error
            self.assertEqual(self.client.ask(b'LIST "" *')[-1].split()[2], b"[" + code + b"]")

    def test_lateFolder(self) -> None:
        """
        A folder created by one client is in the next list of another.
        """
        self.listed(b'"" *')
        other = self.server.client(b"bob")
        other.ask(b"CREATE Brand-New")
        self.assertIn("Brand-New", self.listed(b'"" *'))

    def test_longListInPieces(self) -> None:
        """
        A long list is written in pieces, none of them much longer than the bound.
        """
        server = Server(self, ImapLimits(max_write=2048, login_delay=0.0))
        for each in range(300):
            server.store.make(f"Public Folders/{each:03d}")
        client = server.client()
        self.assertEqual(len(client.ask(b'LIST "" *')), 300 + 2 + 1)
        self.assertLess(max(client.transport.pieces), 2048 + 100)


class LsubTests(ListCase):
    """
    LSUB and the list it shows.
    """

    def test_subscribed(self) -> None:
        """
        What is subscribed is shown, whether it exists or not, until it is unsubscribed.
        """
        self.assertEqual(self.client.ask(b'SUBSCRIBE "Public Folders/Sales"'), [b"T OK SUBSCRIBE completed"])
        self.client.ask(b"SUBSCRIBE Gone")
        self.assertEqual(self.listed(b'"" *', b"LSUB"), {"Gone": "", "Public Folders/Sales": ""})
        self.assertEqual(self.client.ask(b"UNSUBSCRIBE Gone"), [b"T OK UNSUBSCRIBE completed"])
        self.assertEqual(self.listed(b'"" *', b"LSUB"), {"Public Folders/Sales": ""})

    def test_parents(self) -> None:
        """
        With C{%}, a parent of something subscribed is shown as one that cannot
        be selected (RFC 3501 section 6.3.9), unless it is subscribed itself.
        """
        for name in (b"foo/bar", b"foo/baz/deep", b"own", b"own/child"):
            self.client.ask(b"SUBSCRIBE " + name)
        self.assertEqual(self.listed(b'"" %', b"LSUB"), {"foo": "\\Noselect", "own": ""})
        self.assertEqual(self.listed(b'"" foo/%', b"LSUB"), {"foo/bar": "", "foo/baz": "\\Noselect"})
        self.assertEqual(set(self.listed(b'"" *', b"LSUB")), {"foo/bar", "foo/baz/deep", "own", "own/child"})

    def test_delimiter(self) -> None:
        """
        An empty pattern asks for the separator here as well.
        """
        self.assertEqual(
            self.client.ask(b'LSUB "" ""'), [b'* LSUB (\\Noselect) "/" ""', b"T OK LSUB completed"]
        )

    def test_badName(self) -> None:
        """
        A name that no folder can have cannot be subscribed to.
        """
        self.assertEqual(self.client.ask(b"SUBSCRIBE a//b")[-1][:13], b"T NO [CANNOT]")
