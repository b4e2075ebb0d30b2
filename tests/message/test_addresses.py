"""
Tests for L{mailstore.message.addresses}.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mailstore.message import addresses as module
from mailstore.message.addresses import GROUP_END, Address, addresses


def person(name: bytes | None, mailbox: bytes, host: bytes, route: bytes | None = None) -> Address:
    """
    An ordinary address.
    """
    return Address(name, route, mailbox, host)


def group(name: bytes, *members: Address) -> list[Address]:
    """
    A group with its members.
    """
    return [Address(mailbox=name), *members, GROUP_END]


class AddressTests(SynchronousTestCase):
    """
    Address lists, right and wrong.
    """

    def assertAddresses(self, cases: dict[bytes, list[Address]]) -> None:
        """
        Each value gives these addresses.
        """
        for value, expected in cases.items():
            self.assertEqual(list(addresses(value)), expected, value)

    def test_valid(self) -> None:
        """
        What RFC 5322 section 3.4 allows.
        """
        self.assertAddresses(
            {
                b"a@b.c": [person(None, b"a", b"b.c")],
                b"<a@b.c>": [person(None, b"a", b"b.c")],
                b"Ann <a@b.c>": [person(b"Ann", b"a", b"b.c")],
                b"Ann  von\tX <a@b.c>": [person(b"Ann von X", b"a", b"b.c")],
                b'"X, \\"Ann\\" <y>" <a@b.c>': [person(b'X, "Ann" <y>', b"a", b"b.c")],
                b'"Ann" X "Y Z" <a@b>': [person(b"Ann X Y Z", b"a", b"b")],
                b"a@b , c@d": [person(None, b"a", b"b"), person(None, b"c", b"d")],
                b'"a b"@c': [person(None, b"a b", b"c")],
                b"a.b+c@[127.0.0.1]": [person(None, b"a.b+c", b"[127.0.0.1]")],
                b"a @ b . c": [person(None, b"a", b"b.c")],
                b"Ann (my (dear) sister) <a@b(home)>": [person(b"Ann", b"a", b"b")],
                b"=?utf-8?q?=C3=A4?= <a@b>": [person(b"=?utf-8?q?=C3=A4?=", b"a", b"b")],
                "Jö <ö@ä>".encode(): [person("Jö".encode(), "ö".encode(), "ä".encode())],
            }
        )

    def test_obsolete(self) -> None:
        """
        What RFC 5322 section 4.4 and RFC 822 allowed.
        """
        self.assertAddresses(
            {
                b"a@b (Ann)": [person(b"Ann", b"a", b"b")],
                b"<@x,@y:a@b>": [person(None, b"a", b"b", b"@x,@y")],
                b"Ann <@x:a@b>": [person(b"Ann", b"a", b"b", b"@x")],
                b"a@b,,c@d,": [person(None, b"a", b"b"), person(None, b"c", b"d")],
                b"Joe Q. Public <a@b>": [person(b"Joe Q. Public", b"a", b"b")],
            }
        )

    def test_groups(self) -> None:
        """
        Groups begin, end, and are empty or not (RFC 9051 section 7.5.2).
        """
        ann = person(None, b"a", b"b")
        self.assertAddresses(
            {
                b"undisclosed recipients:;": group(b"undisclosed recipients"),
                b"G: a@b;": group(b"G", ann),
                b'"G: H": a@b, a@b; , a@b': [*group(b"G: H", ann, ann), ann],
                b"a@b, G:a@b": [ann, *group(b"G", ann)],
                b"G:;H:;": [*group(b"G"), *group(b"H")],
                b"G: H: a@b;": group(b"G", person(b"H:", b"a", b"b")),
            }
        )

    def test_broken(self) -> None:
        """
        What no standard allows gives what its writer may have meant.
        """
        self.assertAddresses(
            {
                b"": [],
                b" , ;:<>()": [],
                b"@": [],
                b"foo": [person(None, b"foo", b"")],
                b"Foo Bar": [person(None, b"Foo Bar", b"")],
                b"Ann <>": [person(b"Ann", b"", b"")],
                b"Ann <a>": [person(b"Ann", b"a", b"")],
                b"Ann a@b": [person(b"Ann", b"a", b"b")],
                b"Ann <a@b": [person(b"Ann", b"a", b"b")],
                b"Ann <a@b, c@d": [person(b"Ann", b"a", b"b"), person(None, b"c", b"d")],
                b"a@b>": [person(None, b"a", b"b")],
                b"a@b <a@b>": [person(b"a@b", b"a", b"b")],
                b"<<a@b>>": [person(b"<", b"a", b"b")],
                b"a@b@c": [person(None, b"a@b", b"c")],
                b"X, Ann <a@b>": [person(None, b"X", b""), person(b"Ann", b"a", b"b")],
                b'"Ann <a@b>': [person(b"Ann", b"a", b"b")],
                b"Ann (x <a@b>": [person(b"Ann x", b"a", b"b")],
                b"(only a comment)": [],
                b"a@b; c@d": [person(None, b"a", b"b"), person(None, b"c", b"d")],
                b"<a@b;>": [person(None, b"a", b"b")],
                b"<a@b> Ann": [person(None, b"a", b"b")],
                b"<@x a@b>": [person(None, b"@xa", b"b")],
                b"\0\xff@b": [person(None, b"\0\xff", b"b")],
            }
        )

    def test_bound(self) -> None:
        """
        Only so many are kept, and a group is closed also then.
        """
        self.patch(module, "MAX_ADDRESSES", 3)
        self.assertEqual(len(addresses(b"a@b," * 10)), 3)
        self.assertEqual(addresses(b"G: " + b"a@b," * 10)[-1], GROUP_END)

    @given(st.lists(st.sampled_from(list(b'ab@,;:<>()"\\ .')) | st.integers(0, 255), max_size=30))
    def test_anything(self, value: list[int]) -> None:
        """
        Every value gives addresses whose groups open and close in turn.
        """
        open_group = False
        for each in addresses(bytes(value)):
            if each.host is not None:
                self.assertIsNotNone(each.mailbox)
                continue
            self.assertEqual(each.mailbox is None, open_group)
            self.assertEqual((each.name, each.route), (None, None))
            open_group = each.mailbox is not None
        self.assertFalse(open_group)
