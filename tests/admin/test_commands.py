"""
Tests for the C{mailstore} command: L{mailstore.admin.main} and what it calls.
"""

from __future__ import annotations

import io
import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import tests
from mailstore.admin import importing, passwords
from mailstore.admin.commands import complete
from mailstore.admin.importing import BATCH_MESSAGES, Importer
from mailstore.admin.main import main
from mailstore.admin.output import counted, shown
from mailstore.admin.sources import Found, Source
from mailstore.auth.keys import verify
from mailstore.engine.limits import EngineLimits
from mailstore.model import SYSTEM, FetchSpec, Section, flagNames, uint64s
from mailstore.stores import openStore
from tests.admin.commandcase import FROM, MAIL, CommandTestCase
from tests.transports.certificates import certificates


class MainTests(CommandTestCase):
    """
    The command line itself.
    """

    def test_nonsense(self) -> None:
        """
        Words that make no sense end with code 2.
        """
        for words in ((), ("frobnicate",), ("user",), ("user", "add"), ("folder", "list", "--config", "x")):
            self.run_(*words, code=2, store=bool(words))
        # The command that they were given to says so.
        for command, word in (("folder list", "x"), ("init", "x"), ("config show", "x"), ("check", "--all")):
            _, errors = self.run_(*command.split(), word, code=2, store=False)
            self.assertIn(f"mailstore {command}: error: unrecognized arguments: {word}\n", errors)
            self.assertIn(f"usage: mailstore {command} ", errors)

    def test_version(self) -> None:
        """
        It says which version it is.
        """
        self.assertRegex(self.run_("--version", store=False)[0], r"^mailstore \d+\.\d+")

    def test_help(self) -> None:
        """
        Every command explains itself.
        """
        for words in (("import",), ("acl", "set"), ("user", "add"), ("config", "check"), ("init",)):
            output, _ = self.run_(*words, "--help", store=False)
            self.assertIn("usage: mailstore", output)

    def test_initAgain(self) -> None:
        """
        C{init} may be repeated; it takes nothing away.
        """
        self.run_("user", "add", "ann", "--password-stdin", given=b"secret\n")
        output, _ = self.run_("init")
        self.assertEqual(output, f"{self.url}: was there already, and is ready, with 1 user\n")

    def test_noStore(self) -> None:
        """
        All others want a store that is there.
        """
        line = self.refused("folder", "list", "--store", f"sqlite:{self.directory}/other.db", store=False)
        self.assertIn("make one with 'mailstore init --store", line)

    def test_config(self) -> None:
        """
        The store can be named by the server's config file.
        """
        path = self.put("mail.toml", f'[store]\nurl = "{self.url}"\n'.encode())
        output, _ = self.run_("folder", "list", "--config", path, store=False)
        self.assertIn("Public Folders", output)
        line = self.refused("folder", "list", "--config", path + "x", store=False)
        self.assertEqual(line, f"{path}x: No such file or directory")

    def test_configCheck(self) -> None:
        """
        A config file is checked with all that the server would make of it.
        """
        path = self.put("mail.toml", b'[transport]\ndescription = "unix:/s:blocks=7"\n')
        output, _ = self.run_("config", "check", path, store=False)
        self.assertEqual(output, f"{path}: good\n")
        for text, expected in (
            (b"[imap]\nlisten = 7", f"{path}: [imap] listen must be a list of endpoints, not 7"),
            (
                b'[imap]\nlisten = ["foo:1"]',
                f"{path}: cannot listen on 'foo:1': Unknown endpoint type: 'foo'",
            ),
            (b'[tls]\ncertificate = "/no"\nkey = "/no"', f"{path}: /no: No such file or directory"),
        ):
            self.put("mail.toml", text)
            self.assertEqual(self.refused("config", "check", path, store=False), expected)

    def test_configCheckMachines(self) -> None:
        """
        The examples for several machines are good once their certificates are there; what
        is wrong with one is said in a line that names the file.
        """
        trusted = certificates()
        for name, made in (
            ("store.pem", trusted.ours.path),
            ("store.key", trusted.ours.key),
            ("frontend.pem", trusted.other.path),
            ("frontend.key", trusted.other.key),
            ("imap.pem", trusted.ours.path),
            ("imap.key", trusted.ours.key),
            ("ca.pem", trusted.authority.path),
        ):
            self.put(name, Path(made).read_bytes())
        there = str(self.directory)
        paths = {}
        for role in ("store", "frontend"):
            example = Path(tests.__file__).parents[1] / "examples" / "machines" / f"{role}.toml"
            text = example.read_bytes()
            paths[role] = self.put(f"{role}.toml", text.replace(b"/etc/mailstore", os.fsencode(there)))
            output, _ = self.run_("config", "check", paths[role], store=False)
            self.assertEqual(output, f"{paths[role]}: good\n")
        for name, content, expected in (
            ("frontend.key", Path(trusted.ours.key).read_bytes(), "is not the key of the certificate in"),
            ("frontend.pem", b"nothing", "holds no certificate in PEM form"),
            ("ca.pem", None, "ca: cannot read"),
        ):
            if content is None:
                os.unlink(self.directory / name)
            else:
                self.put(name, content)
            line = self.refused("config", "check", paths["frontend"], store=False)
            self.assertTrue(line.startswith(f"{paths['frontend']}: transport: "), line)
            self.assertIn(expected, line)
            self.assertIn(f"{there}/{name}", line)

    def test_noFile(self) -> None:
        """
        A store in memory would be gone at once, and an empty file is no store.
        """
        words = ("user", "list", "--store")
        self.assertEqual(
            self.refused(*words, "sqlite::memory:", store=False),
            "sqlite::memory: lives within a server only: name a store in a file",
        )
        path = self.put("empty.db", b"")
        self.assertIn(f"there is no store at {path}: ", self.refused(*words, f"sqlite:{path}", store=False))
        self.assertEqual(os.path.getsize(path), 0)
        self.run_("init", "--store", f"sqlite:{path}", store=False)
        self.run_(*words, f"sqlite:{path}", store=False)

    def test_outputFull(self) -> None:
        """
        Output that cannot be written is one line; where nobody reads any more, none.
        """

        class Full(io.StringIO):
            def flush(self) -> None:
                raise OSError(28, "No space left on device")

        class Closed(io.StringIO):
            def flush(self) -> None:
                raise BrokenPipeError

        for stream, expected in ((Full(), "mailstore: No space left on device\n"), (Closed(), "")):
            errors = io.StringIO()
            with redirect_stdout(stream), redirect_stderr(errors):
                self.assertEqual(main(["user", "list", "--store", self.url]), 1)
            self.assertEqual(errors.getvalue(), expected)

    def test_shown(self) -> None:
        """
        Nothing that a file is called can move the terminal's cursor.
        """
        self.assertEqual(shown("a\nb\x1b\udcff\u00e9"), "a\\nb\\x1b\\xff\u00e9")
        self.assertEqual(counted(1, "box", "boxes") + counted(2, "box", "boxes"), "1 box2 boxes")


class UserTests(CommandTestCase):
    """
    C{mailstore user}.
    """

    def test_add(self) -> None:
        """
        A user gets keys that the password fits.
        """
        for name, given in (("ann", b"s\xc3\xa9cret\n"), ("bob", b"s\xc3\xa9cret\r\nmore\n")):
            self.run_("user", "add", name, "--password-stdin", given=given)
            credentials = self.look(lambda store, name=name: store.credentials(name))
            self.assertTrue(verify(credentials, "s\u00e9cret"))
        self.assertEqual(self.run_("user", "list")[0], "ann\nbob\n")

    def test_refused(self) -> None:
        """
        Users who exist, names and passwords that cannot be.
        """
        add = ("user", "add")
        self.run_(*add, "ann", "--password-stdin", given=b"x")
        self.assertEqual(
            self.refused(*add, "ann", "--password-stdin", given=b"x"), "there is a user 'ann' already"
        )
        self.assertIn("user name cannot hold", self.refused(*add, "a b", "--password-stdin", given=b"x"))
        for given, expected in (
            (b"", "a password cannot be empty"),
            (b"\n", "a password cannot be empty"),
            (b"\xff\n", "the password on standard input is not UTF-8"),
            (b"x" * 1001, "a password can have at most 1000 characters"),
            (b"a\x07", "a password cannot have the character U+0007"),
        ):
            self.assertEqual(self.refused(*add, "bob", "--password-stdin", given=given), expected)
        self.assertEqual(
            self.refused(*add, "bob"), "there is no terminal to ask for the password: use --password-stdin"
        )
        self.assertEqual(self.run_("user", "list")[0], "ann\n")

    def test_asked(self) -> None:
        """
        At a terminal the password is asked for twice.
        """
        self.patch(passwords, "_isTerminal", lambda: True)
        with patch("mailstore.admin.passwords.getpass.getpass", side_effect=["one", "two", "one", "one"]):
            self.assertEqual(self.refused("user", "add", "ann"), "the two passwords differ")
            self.run_("user", "add", "ann")
        with patch("mailstore.admin.passwords.getpass.getpass", side_effect=EOFError):
            self.assertIn("mailstore: no password was given\n", self.run_("user", "add", "bob", code=1)[1])
        self.assertTrue(verify(self.look(lambda store: store.credentials("ann")), "one"))


class FolderTests(CommandTestCase):
    """
    C{mailstore folder} and C{mailstore acl}.
    """

    def test_folders(self) -> None:
        """
        Folders are made, public ones and users' own, and listed.
        """
        self.run_("user", "add", "ann", "--password-stdin", given=b"x")
        self.run_("folder", "create", "Public Folders/News/2026")
        self.run_("folder", "create", "Sent", "--owner", "ann")
        output, _ = self.run_("folder", "list")
        names = [line.split(None, 1)[1] for line in output.splitlines()]
        for name in (
            "Public Folders/News",
            "Public Folders/News/2026",
            "Other Users/ann/Sent",
            "Other Users/ann/INBOX",
        ):
            self.assertIn(name, names)

    def test_refused(self) -> None:
        """
        What cannot be made is named.
        """
        create = ("folder", "create")
        for name in ("News", "public folders/News"):
            self.assertEqual(
                self.refused(*create, name),
                f"{name!r} is not a public folder: write 'Public Folders/News', or name a user with --owner",
            )
        self.assertIn(": write 'Public Folders/x',", self.refused("acl", "set", "x", "ann", "l"))
        self.assertIn("there is no user 'ann'", self.refused(*create, "Sent", "--owner", "ann"))
        self.assertIn("empty part", self.refused(*create, "Public Folders//x"))
        self.run_(*create, "Public Folders/x")
        self.assertIn("already", self.refused(*create, "Public Folders/x"))

    def test_rights(self) -> None:
        """
        Rights are set, on one folder or the whole public tree, and what makes
        no sense is refused.
        """
        self.run_("user", "add", "ann", "--password-stdin", given=b"x")
        self.run_("folder", "create", "Public Folders/a/b")
        output, _ = self.run_("acl", "set", "Public Folders", "ann", "lrsip")
        self.assertEqual(output, "changed 3 folders\n")
        self.run_("acl", "set", "Public Folders/a", "ann", "")
        self.assertEqual(self.look(lambda store: store.rights("ann", "Public Folders/a/b")), "lrsip")
        self.assertEqual(self.look(lambda store: store.rights("ann", "Public Folders/a")), "lrs")
        self.assertIn("'q' is no right", self.refused("acl", "set", "Public Folders", "ann", "lq"))
        self.assertIn("'bob'", self.refused("acl", "set", "Public Folders", "bob", "l"))
        self.assertIn("Public Folders/c", self.refused("acl", "set", "Public Folders/c", "ann", "l"))


class ImportTests(CommandTestCase):
    """
    C{mailstore import}.
    """

    def messages(self, name: str) -> list[tuple[bytes, tuple[str, ...], int]]:
        """
        The messages of a folder: content, flags, date.
        """

        async def read(store: Any) -> list[tuple[bytes, tuple[str, ...], int]]:
            opened = await store.openFolder(SYSTEM, name, False)
            spec = FetchSpec(flags=True, internal_date=True, sections=(Section(),))
            found = []
            async for batch in store.fetch(SYSTEM, opened.folder, opened.uids, spec):
                for content, mask, date in zip(
                    batch.sections[0], uint64s(batch.flags), uint64s(batch.internal_dates), strict=True
                ):
                    found.append((content, flagNames(mask, batch.keywords), date))
            return found

        found: list[tuple[bytes, tuple[str, ...], int]] = self.look(read)
        return found

    def test_realMail(self) -> None:
        """
        All sample mail is taken, folder by folder; what is no mail is passed over and named.
        """
        import tests

        output, errors = self.run_("import", str(Path(tests.__file__).parent / "mail"), "Public Folders/Real")
        self.assertIn("imported 103 messages into 8 folders", output)
        self.assertIn("LICENSE: no mail", errors)
        self.assertEqual(errors.count("passed over"), errors.count("\n"))

    def test_content(self) -> None:
        """
        Content, flags and dates arrive.
        """
        path = self.put("box", FROM + b"Status: RO\n\none\n\n" + FROM + b"A: b\n\n>From\n")
        self.run_("import", path, "Public Folders/Box")
        self.assertEqual(
            self.messages("Public Folders/Box"),
            [
                (b"Status: RO\r\n\r\none\r\n", ("\\Seen",), 1115724487),
                (b"A: b\r\n\r\n>From\r\n", (), 1115724487),
            ],
        )

    def test_owner(self) -> None:
        """
        Mail goes into a user's own folders.
        """
        self.run_("user", "add", "ann", "--password-stdin", given=b"x")
        self.run_("import", self.put("a.eml"), "inbox", "--owner", "ann")
        self.assertEqual(len(self.messages("Other Users/ann/INBOX")), 1)

    def test_maildir(self) -> None:
        """
        A Maildir with a subfolder that is empty.
        """
        self.put("md/cur/1:2,SP")
        for each in ("new", ".Old/cur", ".Old/new"):
            (self.directory / "md" / each).mkdir(parents=True)
        os.utime(self.directory / "md/cur/1:2,SP", (99, 99))
        output, _ = self.run_("import", str(self.directory / "md"), "Public Folders/M")
        self.assertIn("        0 Public Folders/M/Old\n", output)
        ((content, flags, date),) = self.messages("Public Folders/M")
        self.assertEqual((content, date), (MAIL.replace(b"\n", b"\r\n"), 99))
        self.assertEqual(set(flags), {"\\Seen", "$Forwarded"})

    def test_noMail(self) -> None:
        """
        What was to be imported and is no mail is named; what else was there
        is imported, and counted.
        """
        self.put("tree/a.eml")
        bad = self.put("tree/b.eml", b"\0\0")
        output, errors = self.run_("import", str(self.directory / "tree"), "Public Folders/T", code=1)
        self.assertEqual(errors, f"mailstore: not imported: {bad}: no mail\n")
        self.assertEqual(output, "        1 Public Folders/T\nimported 1 message into 1 folder\n")

    def test_nothingThere(self) -> None:
        """
        A path that cannot be read is named, and nothing is made.
        """
        _, errors = self.run_("import", "/gone/away", "Public Folders/T", code=1)
        self.assertEqual(errors, "mailstore: not imported: /gone/away: No such file or directory\n")
        self.assertNotIn("Public Folders/T", self.run_("folder", "list")[0])

    def test_many(self) -> None:
        """
        More messages than fit into a batch, in order.
        """
        number = BATCH_MESSAGES + 1
        path = self.put("box", b"".join(FROM + b"N: %d\n\n" % each for each in range(number)))
        self.run_("import", path, "Public Folders/Many")
        contents = [content for content, _, _ in self.messages("Public Folders/Many")]
        self.assertEqual(contents, [b"N: %d\r\n" % each for each in range(number)])

    def test_tooLarge(self) -> None:
        """
        A message that the store does not take is named, the others go in.
        """
        config = self.put(
            "mail.toml", f'[store]\nurl = "{self.url}"\n[limits.store]\nmax_message = 100\n'.encode()
        )
        # It grows by its line ends when it is served, which only the store knows.
        self.put("tree/a.eml", b"A: b\n" + b"\n" * 94)
        self.put("tree/b.eml", MAIL + b"x" * 100)
        self.put("tree/c.eml", MAIL)
        _, errors = self.run_(
            "import",
            str(self.directory / "tree"),
            "Public Folders/T",
            "--config",
            config,
            code=1,
            store=False,
        )
        self.assertIn("b.eml: larger than 100 bytes", errors)
        self.assertIn(len(self.messages("Public Folders/T")), (1, 2))

    def test_badFolder(self) -> None:
        """
        A directory whose name can be no folder's is named with its files.
        """
        self.put("tree/a\x01b/a.eml")
        self.put("tree/ok/a.eml")
        output, errors = self.run_("import", str(self.directory / "tree"), "Public Folders/T", code=1)
        self.assertIn("cannot hold control characters", errors)
        self.assertNotIn("\x01", errors)
        self.assertIn("imported 1 message into 1 folder", output)

    def test_noPlace(self) -> None:
        """
        Mail cannot go where no messages are; that is said, with what was done.
        """
        output, errors = self.run_("import", self.put("a.eml"), "Public Folders", code=1)
        self.assertIn("imported 0 messages", output)
        self.assertIn("mailstore: the import was not finished\n", errors)

    def test_interrupted(self) -> None:
        """
        Who interrupts an import is told what was imported.
        """
        self.patch(importing, "BATCH_MESSAGES", 2)
        before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):

            def endless(source: Source, largest: int, number: int = number) -> Iterator[Found]:
                for each in itertools.count():
                    if each == 5:
                        signal.raise_signal(number)
                    yield Found(f"message {each}", MAIL)

            folder = f"Public Folders/{code}"
            with patch("mailstore.admin.importing.messages", endless):
                output, errors = self.run_("import", self.put("a.eml"), folder, code=code)
            self.assertIn("imported 4 messages into 1 folder", output)
            self.assertEqual(
                errors,
                (
                    "mailstore: the import was not finished; --skip-existing goes on with it\n"
                    "mailstore: interrupted\n"
                ),
            )
            counts = self.look(lambda store, folder=folder: store.status(SYSTEM, folder))
            self.assertEqual(counts.messages, 4)
        self.assertEqual([signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)], before)

    def test_progress(self) -> None:
        """
        The bytes done add up to those of the file, message by message.
        """
        mbox = self.put("a.mbox", (FROM + MAIL + b"\n") * 3)
        steps: list[int] = []
        store = openStore(self.url, EngineLimits())
        self.addCleanup(lambda: complete(store.close()))
        importer = Importer(store, "Public Folders/T", 1000, advanced=steps.append)
        complete(importer.run(importer.plan(mbox)))
        self.assertEqual(sum(steps), os.path.getsize(mbox))
        self.assertEqual(steps[:3], [len(MAIL)] * 3)
