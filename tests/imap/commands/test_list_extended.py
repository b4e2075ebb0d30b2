"""
Tests of LIST with options: LIST-EXTENDED, LIST-STATUS, LIST-MYRIGHTS, LIST-METADATA and SPECIAL-USE.
"""

from __future__ import annotations

from typing import Any

from mailstore.errors import StoreUnavailable
from mailstore.imap import selection
from mailstore.imap.limits import ImapLimits
from tests.imap.commands.messagecase import MessageCase, plain
from tests.imap.support import Server


class ExtendedCase(MessageCase):
    """
    Alice with some folders, and nothing open.
    """

    folders: tuple[str, ...] = ()

    def setUp(self) -> None:
        super().setUp()
        for name in self.folders:
            self.result(self.engine.createFolder("alice", name))
        self.alice = self.client(folder="")

    def subscribe(self, *names: str) -> None:
        """
        Put names into alice's list.
        """
        for name in names:
            self.result(self.engine.subscribe("alice", name))

    def answer(self, arguments: str) -> list[str]:
        """
        What LIST answers, without C{* LIST} and the separator.
        """
        lines = self.alice.command(f"LIST {arguments}")
        self.assertOk(lines)
        return [line.removeprefix("* LIST ").replace(' "/"', "") for line in lines[:-1]]


class PatternTests(ExtendedCase):
    """
    More than one pattern.
    """

    folders = ("Work", "Work/2026", "Sent")

    def test_several(self) -> None:
        """
        A folder that several patterns mean is told once, and an empty one means nothing.
        """
        self.assertEqual(
            self.answer('"" ("" Work Wor% "Work/*" nope)'),
            ["(\\HasChildren) Work", "(\\HasNoChildren) Work/2026"],
        )
        self.assertEqual(self.answer('"Work/" ("%" "2026")'), ["(\\HasNoChildren) Work/2026"])

    def test_noSeparator(self) -> None:
        """
        An empty pattern asks for the separator only in a LIST that RFC 3501 knows.
        """
        self.assertEqual(self.alice.command('LIST "" ""')[0], '* LIST (\\Noselect) "/" ""')
        for arguments in ('"" ("")', '() "" ""', '"" "" RETURN ()'):
            self.assertEqual(self.answer(arguments), [], arguments)

    def test_plain(self) -> None:
        """
        What needs nothing of its own is the shared answer of a plain LIST.
        """
        plain_answer = self.answer('"" *')
        calls = len(self.store.calls)
        for options in ("", "RETURN (CHILDREN)", "RETURN (SPECIAL-USE CHILDREN)", "RETURN ()"):
            self.assertEqual(self.answer(f'(REMOTE) "" * {options}'.rstrip()), plain_answer, options)
        self.assertEqual({name for name, _ in self.store.calls[calls:]}, {"trees"})

    def test_bounds(self) -> None:
        """
        All patterns together keep within the bounds of one.
        """
        many = " ".join(f"%x{each}%" for each in range(20))
        self.assertNo(self.alice.command(f'LIST "" ({many})'), "LIMIT")
        long = " ".join("x" * 100 + str(each) for each in range(20))
        self.assertNo(self.alice.command(f'LIST "" ({long})'), "LIMIT")

    def test_unknown(self) -> None:
        """
        Options that are not known, or not possible, are BAD.
        """
        for arguments in (
            '(COLOUR) "" *',
            '(RECURSIVEMATCH) "" *',
            '"" * RETURN (COLOUR)',
            '"" * RETURN (STATUS)',
            '"" * RETURN (STATUS ())',
            '"" * RETURN',
            '"" * COLOUR ()',
            '"" ()',
        ):
            self.assertBad(self.alice.command(f"LIST {arguments}"))


class SubscribedTests(ExtendedCase):
    """
    The folders of RFC 5258 section 5, example 9, and what is subscribed there.
    """

    folders = ("foo2/bar1", "foo2/bar2", "baz2/bar2", "baz2/bar22", "baz2/bar222", "eps2/mamba", "qux2/bar2")

    def setUp(self) -> None:
        """
        All but the parents, beside C{eps2}, are subscribed.
        """
        super().setUp()
        self.subscribe(*self.folders, "eps2")

    def test_select(self) -> None:
        """
        The subscribed names that match are told, whether they exist or not, as they are.
        """
        self.subscribe("gone/away")
        self.assertEqual(
            self.answer('(SUBSCRIBED) "" "*2"'),
            [
                "(\\HasNoChildren \\Subscribed) baz2/bar2",
                "(\\HasNoChildren \\Subscribed) baz2/bar22",
                "(\\HasNoChildren \\Subscribed) baz2/bar222",
                "(\\HasChildren \\Subscribed) eps2",
                "(\\HasNoChildren \\Subscribed) foo2/bar2",
                "(\\HasNoChildren \\Subscribed) qux2/bar2",
            ],
        )
        self.assertEqual(
            self.answer('(SUBSCRIBED) "" gone/% RETURN (CHILDREN)'),
            ["(\\NonExistent \\Noselect \\HasNoChildren \\Subscribed) gone/away"],
        )
        self.assertEqual(self.answer('(SUBSCRIBED) "" foo2'), [])

    def test_recursive(self) -> None:
        """
        With RECURSIVEMATCH parents of subscribed names are told with CHILDINFO, where that
        says more than the answer does without (RFC 5258 section 3.5).
        """
        self.assertEqual(
            self.answer('(RECURSIVEMATCH SUBSCRIBED) "" "*2"'),
            [
                "(\\HasNoChildren \\Subscribed) baz2/bar2",
                "(\\HasNoChildren \\Subscribed) baz2/bar22",
                "(\\HasNoChildren \\Subscribed) baz2/bar222",
                '(\\HasChildren \\Subscribed) eps2 ("CHILDINFO" ("SUBSCRIBED"))',
                '(\\HasChildren) foo2 ("CHILDINFO" ("SUBSCRIBED"))',
                "(\\HasNoChildren \\Subscribed) foo2/bar2",
                "(\\HasNoChildren \\Subscribed) qux2/bar2",
            ],
        )

    def test_recursiveGone(self) -> None:
        """
        A parent without children can have CHILDINFO: what is subscribed does not exist
        (RFC 5258 section 5, example 10).
        """
        self.result(self.engine.createFolder("alice", "foo"))
        self.subscribe("foo/bar", "nowhere/deep/down")
        self.assertEqual(
            self.answer('(SUBSCRIBED RECURSIVEMATCH) "" foo RETURN (CHILDREN)'),
            ['(\\HasNoChildren) foo ("CHILDINFO" ("SUBSCRIBED"))'],
        )
        self.assertEqual(
            self.answer('(SUBSCRIBED RECURSIVEMATCH) "" nowhere'),
            ['(\\NonExistent \\Noselect) nowhere ("CHILDINFO" ("SUBSCRIBED"))'],
        )

    def test_return(self) -> None:
        """
        RETURN (SUBSCRIBED) tells it of all that exist, and adds no names.
        """
        self.subscribe("gone")
        self.assertEqual(
            self.answer('"" (INBOX foo2 foo2/* gone) RETURN (SUBSCRIBED)'),
            [
                "(\\HasNoChildren) INBOX",
                "(\\HasChildren) foo2",
                "(\\HasNoChildren \\Subscribed) foo2/bar1",
                "(\\HasNoChildren \\Subscribed) foo2/bar2",
            ],
        )

    def test_slices(self) -> None:
        """
        However many are handled at once, the answer is the same.
        """
        requests = ('(SUBSCRIBED RECURSIVEMATCH) "" *', '"" (*2 %) RETURN (SUBSCRIBED STATUS (MESSAGES))')
        whole = [self.answer(each) for each in requests]
        self.patch(selection, "SLICE", 2)
        self.assertEqual([self.answer(each) for each in requests], whole)


class StatusTests(ExtendedCase):
    """
    RETURN (STATUS ...) and RETURN (MYRIGHTS).
    """

    folders = ("Work", "Work/a/b")

    def test_status(self) -> None:
        """
        Behind each folder that can be opened stands what STATUS tells of it.
        """
        self.fill(plain("x"), plain("y"), folder="Work")
        items = "(UNSEEN MESSAGES UIDVALIDITY SIZE RECENT UIDNEXT DELETED HIGHESTMODSEQ APPENDLIMIT)"
        answer = self.alice.command(f'LIST "" (INBOX Work Work/a) RETURN (STATUS {items})')
        expected = []
        for name, attributes in (("INBOX", "\\HasNoChildren"), ("Work", "\\HasChildren")):
            expected += [
                f'* LIST ({attributes}) "/" {name}',
                *self.alice.command(f"STATUS {name} {items}")[:-1],
            ]
        self.assertEqual(answer[:4], expected)

    def test_oneScan(self) -> None:
        """
        All folders are asked for at once, and none by itself.
        """
        for each in range(50):
            self.result(self.engine.createFolder("alice", f"Many/{each}"))
        self.store.calls.clear()
        answer = self.answer('"" Many/% RETURN (STATUS (MESSAGES) MYRIGHTS)')
        self.assertEqual(len(answer), 150)
        self.assertEqual(
            [name for name, _ in self.store.calls], ["trees", "folders", "folders", "folders", "statuses"]
        )

    def test_batches(self) -> None:
        """
        What is told of a folder stands behind it, however the store cuts its answer, also where the
        answer passes over nodes and folders that are gone.
        """
        gone = self.identity("Work")

        async def inPieces(method: Any, user: str, folders: bytes) -> Any:
            for at in range(0, len(folders), 8):
                some = b"" if int.from_bytes(folders[at : at + 8], "little") == gone else folders[at : at + 8]
                async for columns in method(user, some):
                    yield columns

        self.store.instead["statuses"] = inPieces
        self.assertEqual(
            self.answer('"" (INBOX Work Work/*) RETURN (STATUS (MESSAGES))'),
            [
                "(\\HasNoChildren) INBOX",
                "* STATUS INBOX (MESSAGES 0)",
                "(\\HasChildren \\Noselect) Work",
                "(\\HasChildren) Work/a",
                "* STATUS Work/a (MESSAGES 0)",
                "(\\HasNoChildren) Work/a/b",
                "* STATUS Work/a/b (MESSAGES 0)",
            ],
        )

    def test_unreadable(self) -> None:
        """
        A folder that may be seen but not read cannot be selected, and nothing is counted
        (RFC 5819 section 2); the rights on it are told all the same.
        """
        self.public("Secret", authenticated="l")
        self.assertEqual(
            self.answer('"Public Folders/" Secret RETURN (MYRIGHTS STATUS (MESSAGES))'),
            ['(\\HasNoChildren \\Noselect) "Public Folders/Secret"', '* MYRIGHTS "Public Folders/Secret" l'],
        )
        self.assertEqual(
            self.answer('"Public Folders/" Secret RETURN (MYRIGHTS)'),
            ['(\\HasNoChildren) "Public Folders/Secret"', '* MYRIGHTS "Public Folders/Secret" l'],
        )

    def test_rightsInOneScan(self) -> None:
        """
        The rights on folders that cannot be read come with the same scan, and none is asked for by itself.
        """
        for each in range(20):
            self.public(f"Mixed/{each:02}", authenticated="l" if each % 3 else "lr")
        self.store.calls.clear()
        answer = self.answer('"Public Folders/" Mixed/% RETURN (MYRIGHTS STATUS (MESSAGES))')
        self.assertEqual(self.store.named("rights"), [])
        self.assertEqual(len(self.store.named("statuses")), 1)
        self.assertEqual(sum(line.startswith("* MYRIGHTS ") for line in answer), 20)
        self.assertEqual(sum("\\Noselect" in line for line in answer), 13)
        self.assertEqual(answer[-1], '* MYRIGHTS "Public Folders/Mixed/19" l')

    def test_rights(self) -> None:
        """
        MYRIGHTS tells the same as the command of that name; of what does not exist it tells nothing.
        """
        sales = self.public("Sales", alice="lrip")
        answer = self.answer('"" (INBOX "Public Folders/*") RETURN (MYRIGHTS)')
        self.assertEqual(answer[1], "* MYRIGHTS INBOX lrswipkxteacd")
        self.assertEqual(answer[3:], [*self.alice.command(f'MYRIGHTS "{sales}"')[:-1]])
        self.subscribe("nope")
        answer = self.answer('(SUBSCRIBED) "" nope RETURN (MYRIGHTS STATUS (MESSAGES))')
        self.assertEqual(answer, ["(\\NonExistent \\Noselect \\Subscribed) nope"])

    def test_childInfoOnly(self) -> None:
        """
        Of a parent that is not meant itself nothing more is told (RFC 5819 section 3).
        """
        self.subscribe("Work/a/b")
        self.assertEqual(
            self.answer('(SUBSCRIBED RECURSIVEMATCH) "" Work RETURN (MYRIGHTS STATUS (MESSAGES))'),
            ['(\\HasChildren) Work ("CHILDINFO" ("SUBSCRIBED"))'],
        )

    def test_storeFails(self) -> None:
        """
        A store that cannot answer, or not to the end, makes a NO; what was told before is whole lines.
        """

        async def breakOff(method: Any, user: str, folders: bytes) -> Any:
            async for columns in method(user, folders[:8]):
                yield columns
            raise StoreUnavailable("gone")

        self.store.instead["statuses"] = breakOff
        lines = self.alice.command('LIST "" (INBOX Work) RETURN (STATUS (MESSAGES))')
        self.assertEqual(lines[:-1], ['* LIST (\\HasNoChildren) "/" INBOX', "* STATUS INBOX (MESSAGES 0)"])
        self.assertTrue(lines[-1].startswith("T NO [UNAVAILABLE] "))

    def test_slowClient(self) -> None:
        """
        Who does not read is told no more, and the store is asked for no more; who goes away ends the scan.
        """
        for each in range(5):
            self.result(self.engine.createFolder("alice", f"Many/{each}"))
        given: list[int] = []

        async def inPieces(method: Any, user: str, folders: bytes) -> Any:
            try:
                for at in range(0, len(folders), 8):
                    given.append(at)
                    async for columns in method(user, folders[at : at + 8]):
                        yield columns
            finally:
                given.append(-1)

        self.store.instead["statuses"] = inPieces
        self.alice.readSlowly()
        self.alice.say(b'T LIST "" Many/% RETURN (STATUS (MESSAGES))\r\n')
        self.assertEqual(given, [0])
        self.assertEqual(self.alice.readMore().count(b"* STATUS"), 1)
        self.alice.clock.advance(0)
        self.assertEqual(given, [0, 8])
        self.alice.disconnect()
        self.alice.clock.advance(0)
        self.assertEqual(given, [0, 8, -1])

    def test_ownRecent(self) -> None:
        """
        What is recent to this session alone is counted as STATUS counts it.
        """
        self.fill(plain("x"))
        self.alice.command("SELECT INBOX")
        self.assertEqual(self.answer('"" INBOX RETURN (STATUS (RECENT))')[1], "* STATUS INBOX (RECENT 1)")

    def test_deletedStorage(self) -> None:
        """
        DELETED-STORAGE is the bytes of what EXPUNGE would remove (RFC 9208 section 4.1.4).
        """
        sizes = [len(plain("x" * each)) for each in (1, 20, 300)]
        uids = self.fill(*(plain("x" * each) for each in (1, 20, 300)))
        for uid in uids[1:]:
            self.flag(uid, "\\Deleted")
        expected = f"* STATUS INBOX (DELETED 2 DELETED-STORAGE {sum(sizes[1:])})"
        self.assertEqual(self.alice.command("STATUS INBOX (DELETED DELETED-STORAGE)")[0], expected)
        self.assertEqual(self.answer('"" INBOX RETURN (STATUS (DELETED DELETED-STORAGE))')[1], expected)
        self.assertEqual(
            self.alice.command("STATUS Work (DELETED-STORAGE)")[0], "* STATUS Work (DELETED-STORAGE 0)"
        )

    def test_appendLimit(self) -> None:
        """
        APPENDLIMIT is announced, told, and holds (RFC 7889).
        """
        server = Server(self, ImapLimits(max_message=1000, login_delay=0.0))
        client = server.client()
        self.assertIn(b" APPENDLIMIT=1000", client.ask(b"CAPABILITY")[0])
        self.assertEqual(client.ask(b"STATUS INBOX (APPENDLIMIT)")[0], b"* STATUS INBOX (APPENDLIMIT 1000)")
        self.assertEqual(client.ask(b"APPEND INBOX {1001}")[-1][:13], b"T NO [TOOBIG]")


class SpecialUseTests(ExtendedCase):
    """
    Folders with a special use.
    """

    folders = ("Work",)

    def test_create(self) -> None:
        """
        A folder made for a use is told with it, and selected by it.
        """
        self.assertOk(self.alice.command("CREATE Gone (USE (\\trash))"))
        self.assertOk(self.alice.command("CREATE Plain (USE ())"))
        self.result(self.engine.subscribe("alice", "Gone"))
        expected = ["(\\HasNoChildren \\Trash) Gone"]
        self.assertEqual(self.answer('(SPECIAL-USE) "" *'), expected)
        self.assertEqual(self.answer('"" Gone RETURN (SPECIAL-USE)'), expected)
        self.assertEqual(self.answer('"" Gone'), expected)
        self.subscribe("Work")
        self.assertEqual(
            self.answer('(SPECIAL-USE SUBSCRIBED) "" *'), ["(\\HasNoChildren \\Trash \\Subscribed) Gone"]
        )
        self.assertEqual(self.answer('(SPECIAL-USE) "" Work'), [])
        self.assertEqual(
            self.answer('(SPECIAL-USE) "" * RETURN (STATUS (MESSAGES))')[1:], ["* STATUS Gone (MESSAGES 0)"]
        )

    def test_refused(self) -> None:
        """
        A use that no folder can have is refused with USEATTR, and no folder is made (RFC 6154 section 3).
        """
        for uses in ("\\Sent \\Drafts", "\\All", "\\Flagged", "\\Holiday"):
            self.assertNo(self.alice.command(f"CREATE New (USE ({uses}))"), "USEATTR")
        self.assertEqual(self.answer('"" New'), [])
        for parameters in ("()", "(USE)", "(USE Sent)", "(COLOUR (red))", "(USE (\\Sent) USE (\\Sent))"):
            self.assertBad(self.alice.command(f"CREATE New {parameters}"))

    def test_mailboxId(self) -> None:
        """
        CREATE tells the new folder's identifier (RFC 8474 section 4.1), if its maker may read it.
        """
        (answer,) = self.alice.command("CREATE New")
        identity = self.result(self.engine.status("alice", "New")).mailbox_id
        self.assertEqual(answer, f"T OK [MAILBOXID ({identity})] CREATE completed")
        self.public("Box", authenticated="lk")
        self.assertEqual(self.alice.command('CREATE "Public Folders/Box/New"'), ["T OK CREATE completed"])


class AnnotationTests(ExtendedCase):
    """
    Telling annotations (LIST-METADATA).
    """

    folders = ("Work/a", "Work/b", "Work/c")

    def annotate(self, name: str, **values: bytes) -> None:
        """
        Set annotations that are alice's own.
        """
        entries: dict[str, bytes | None] = {f"/private/{entry}": value for entry, value in values.items()}
        self.result(self.engine.setMetadata("alice", name, entries))

    def test_told(self) -> None:
        """
        Each folder is followed by all that was asked for, NIL where nothing is set; of nodes nothing is told.
        """
        self.result(self.engine.deleteFolder("alice", "Work"))
        self.annotate("Work/b", x=b"1", y=b"a\r\nb")
        self.annotate("Work/c", z=b"other")
        self.assertEqual(
            self.answer('"" (Work Work/*) RETURN (METADATA (/private/Y /private/x))'),
            [
                "(\\NonExistent \\Noselect \\HasChildren) Work",
                "(\\HasNoChildren) Work/a",
                "* METADATA Work/a (/private/y NIL /private/x NIL)",
                "(\\HasNoChildren) Work/b",
                "* METADATA Work/b (/private/y {4}",
                "a",
                'b /private/x "1")',
                "(\\HasNoChildren) Work/c",
                "* METADATA Work/c (/private/y NIL /private/x NIL)",
            ],
        )

    def test_alone(self) -> None:
        """
        All folders are asked for at once, and nothing is counted.
        """
        self.store.calls.clear()
        self.answer('"" Work/% RETURN (METADATA (/private/x))')
        self.assertEqual(len(self.store.named("annotations")), 1)
        self.assertEqual(self.store.named("statuses") + self.store.named("metadata"), [])

    def test_withOthers(self) -> None:
        """
        It goes together with STATUS and MYRIGHTS, however the store cuts its answers; and what may not
        be read is told no annotations of.
        """
        self.annotate("Work/b", x=b"1")
        self.public("Secret", authenticated="l")

        async def inPieces(method: Any, user: str, folders: bytes, *more: Any) -> Any:
            for at in range(0, len(folders), 8):
                async for found in method(user, folders[at : at + 8], *more):
                    yield found

        asked = (
            '"" (Work/* "Public Folders/Secret") RETURN (MYRIGHTS METADATA (/private/x) STATUS (MESSAGES))'
        )
        expected = [
            '(\\HasNoChildren \\Noselect) "Public Folders/Secret"',
            '* MYRIGHTS "Public Folders/Secret" l',
        ]
        for name, value in (("a", "NIL"), ("b", '"1"'), ("c", "NIL")):
            expected += [
                f"(\\HasNoChildren) Work/{name}",
                f"* STATUS Work/{name} (MESSAGES 0)",
                f"* MYRIGHTS Work/{name} lrswipkxteacd",
                f"* METADATA Work/{name} (/private/x {value})",
            ]
        for cut in ((), ("statuses",), ("annotations",), ("statuses", "annotations")):
            self.store.instead.update(dict.fromkeys(cut, inPieces))
            self.assertEqual(sorted(self.answer(asked)), sorted(expected), cut)
            self.store.instead.clear()

    def test_subscribed(self) -> None:
        """
        Of names that are no folders, and of parents that are not meant themselves, nothing is told.
        """
        self.subscribe("nope", "Work/a")
        self.assertEqual(
            self.answer('(SUBSCRIBED RECURSIVEMATCH) "" % RETURN (METADATA (/private/x))'),
            [
                '(\\HasChildren) Work ("CHILDINFO" ("SUBSCRIBED"))',
                "(\\NonExistent \\Noselect \\Subscribed) nope",
            ],
        )

    def test_storeFails(self) -> None:
        """
        A store that cannot answer makes a NO.
        """

        async def breakOff(method: Any, user: str, folders: bytes, entries: Any) -> Any:
            async for found in method(user, folders[:8], entries):
                yield found
            raise StoreUnavailable("gone")

        self.store.instead["annotations"] = breakOff
        lines = self.alice.command('LIST "" Work/% RETURN (METADATA (/private/x))')
        self.assertEqual(lines[1:-1], ["* METADATA Work/a (/private/x NIL)"])
        self.assertTrue(lines[-1].startswith("T NO [UNAVAILABLE] "))
