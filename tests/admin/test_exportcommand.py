"""
C{mailstore export}, and C{mailstore import} of what it wrote.
"""

from __future__ import annotations

import mailbox
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path
from unittest import mock

import tests
from mailstore.admin.exporting import Exporter
from mailstore.admin.maildirs import folderParts, letters, maildirFlags, subfolder
from mailstore.errors import InvalidName
from mailstore.model import SYSTEM, FetchSpec, FlagMode, UidSet, flagNames, uint32s, uint64s
from tests.admin.commandcase import FROM, MAIL, CommandTestCase

_AWKWARD = (
    b"",
    b"\n",
    b"no header at all",
    b"Subject: NUL\r\n\r\na\0b\r\n",
    b"Subject: CRLF\r\n\r\nFrom me\r\n>From you\r\n>>From them\r\n\r\nFrom here\r\n",
    b"Subject: LF\n\nFrom me\n\nFrom you Tue May 10 11:28:07 2005\n\n\n",
    b"From: x\nno end of line",
    b"\xff\xfe\r\r\n" + b"x" * 300_000,
)


class ExportCase(CommandTestCase):
    """
    What is in folders, to be compared.
    """

    def held(self, name: str) -> Counter[tuple[bytes, frozenset[str], int]]:
        """
        The messages of a folder as they came: bytes, flags, dates.
        """

        async def read(store):  # type: ignore[no-untyped-def]
            opened = await store.openFolder(SYSTEM, name, False)
            found: Counter[tuple[bytes, frozenset[str], int]] = Counter()
            spec = FetchSpec(flags=True, internal_date=True)
            async for batch in store.fetch(SYSTEM, opened.folder, opened.uids, spec):
                for uid, mask, date in zip(
                    uint32s(batch.uids), uint64s(batch.flags), uint64s(batch.internal_dates), strict=True
                ):
                    raw = b"".join([each async for each in store.readOriginal(opened.folder, uid)])
                    found[raw, frozenset(flagNames(mask, batch.keywords)), date] += 1
            return found

        found: Counter[tuple[bytes, frozenset[str], int]] = self.look(read)
        return found

    def bytes_(self, name: str) -> Counter[bytes]:
        """
        The messages of a folder as they came.
        """
        found: Counter[bytes] = Counter()
        for (raw, _, _), count in self.held(name).items():
            found[raw] += count
        return found

    def fill(self, name: str, contents: tuple[bytes, ...]) -> None:
        """
        Import messages as they are.
        """
        for at, each in enumerate(contents):
            path = Path(self.put(f"fill-{name.replace('/', '-')}/cur/{at}:2,{'FS'[: at % 3]}", each))
            os.utime(path, (1_000_000 + at, 1_000_000 + at))
            (path.parent.parent / "new").mkdir(exist_ok=True)
        self.run_("import", str(self.directory / f"fill-{name.replace('/', '-')}"), name)


class MaildirTests(ExportCase):
    """
    Maildirs.
    """

    def test_roundTrip(self) -> None:
        """
        Bytes, flags and dates of all folders come back, whatever they are called.
        """
        names = ("A", "A/Work.in.progress", "A/B&C/Gr\u00fc\u00dfe", "A/.hidden", "A/\u65e5\u672c")
        for at, name in enumerate(names):
            self.fill(f"Public Folders/{name}", _AWKWARD[at:] + (MAIL,) * at)
        target = str(self.directory / "out")
        output, errors = self.run_("export", "Public Folders/A", target)
        self.assertEqual(errors, "")
        self.assertIn("        8 Public Folders/A\n", output)
        self.assertIn("exported 40 messages of 6 folders\n", output)
        self.assertEqual(os.stat(target).st_mode & 0o777, 0o700)
        self.run_("import", target, "Public Folders/Z")
        for name in names:
            self.assertEqual(
                self.held(f"Public Folders/{name}"), self.held(f"Public Folders/Z{name[1:]}"), name
            )
        self.run_("check")

    def test_readByOthers(self) -> None:
        """
        Python's own library reads it.
        """
        self.fill("Public Folders/A", (MAIL, b"Subject: y\n\n"))
        self.fill("Public Folders/A/B.C", (MAIL,))
        target = str(self.directory / "out")
        self.run_("export", "Public Folders/A", target)
        box = mailbox.Maildir(target, create=False)
        self.assertEqual(sorted(each.get_flags() for each in box), ["", "F"])
        self.assertEqual(box.list_folders(), ["B&AC4-C"])

    def test_realMail(self) -> None:
        """
        All sample mail comes back, also through mbox.
        """
        source = str(Path(tests.__file__).parent / "mail")
        self.run_("import", source, "Public Folders/Real")
        self.run_("export", "Public Folders/Real", str(self.directory / "md"))
        self.run_("import", str(self.directory / "md"), "Public Folders/One")
        self.run_("export", "Public Folders/Real", str(self.directory / "mb"), "--format", "mbox")
        self.run_("import", str(self.directory / "mb"), "Public Folders/Two")
        listed = [line.split(None, 1) for line in self.run_("folder", "list")[0].splitlines()]
        names = [name for _, name in listed if name.startswith("Public Folders/Real")]
        self.assertGreater(len(names), 3)
        counts = {name: count for count, name in listed}
        for name in names:
            if counts[name] == "-":
                continue
            one = name.replace("Real", "One", 1)
            two = name.replace("Public Folders/Real", "Public Folders/Two/Real", 1)
            self.assertEqual(self.held(name), self.held(one))
            ended = Counter[bytes]()
            for raw, count in self.bytes_(name).items():
                ended[raw if raw.endswith(b"\n") or not raw else raw + b"\n"] += count
            self.assertEqual(ended, self.bytes_(two), name)

    def test_resumed(self) -> None:
        """
        An export that was interrupted in the middle of a message goes on, and ends as one that was not.
        """
        self.fill("Public Folders/A", tuple(b"N: %d\n\n" % each for each in range(30)))
        target = self.directory / "out"
        real = Exporter._messages
        done = 0

        async def interrupted(exporter, opened):  # type: ignore[no-untyped-def]
            nonlocal done
            async for each in real(exporter, opened):
                done += 1
                if done == 12:
                    os.kill(os.getpid(), signal.SIGINT)
                    exporter._go_on()
                yield each

        with mock.patch.object(Exporter, "_messages", interrupted):
            output, errors = self.run_("export", "Public Folders/A", str(target), code=130)
        self.assertIn("exported 11 messages", output)
        self.assertIn("the export was not finished; --resume goes on with it\n", errors)
        self.assertEqual(len(list((target / "cur").iterdir())), 11)
        self.assertEqual(list((target / "tmp").iterdir()), [])
        # What a kill -9 in the middle of a message leaves behind.
        (target / "tmp" / "unfinished").write_bytes(b"x")
        self.assertIn("go on with it by --resume", self.refused("export", "Public Folders/A", str(target)))
        self.run_("import", self.put("later.eml"), "Public Folders/A")
        output, _ = self.run_("export", "Public Folders/A", str(target), "--resume")
        self.assertIn("there already: 11 messages\n", output)
        self.assertIn("exported 20 messages", output)
        self.assertEqual(len(list((target / "cur").iterdir())), 31)

    def test_killed(self) -> None:
        """
        A file that a killed export left half written is written again.
        """
        self.fill("Public Folders/A", (MAIL,))
        target = self.directory / "out"
        self.run_("export", "Public Folders/A", str(target))
        (whole,) = (target / "cur").iterdir()
        (target / "tmp" / whole.name.partition(":")[0]).write_bytes(b"half")
        whole.unlink()
        self.run_("export", "Public Folders/A", str(target), "--resume")
        (again,) = (target / "cur").iterdir()
        self.assertEqual(again.read_bytes(), MAIL)

    def test_refused(self) -> None:
        """
        Nothing that exists is overwritten, and nothing is begun that cannot be.
        """
        self.fill("Public Folders/A", (MAIL,))
        self.run_("folder", "create", "Public Folders/B")
        self.put("full/x", b"precious")
        target = str(self.directory / "out")
        self.run_("export", "Public Folders/A", target)
        for words, expected in (
            (
                ("Public Folders/A", str(self.directory / "full")),
                "is not empty: an export overwrites nothing",
            ),
            (("Public Folders/A", str(self.directory / "full/x")), "exists already and is no directory"),
            (("Public Folders/A", str(self.directory / "no/where")), "no/where: No such file or directory"),
            (("Public Folders/B", target, "--resume"), "of another folder or format"),
            (("Public Folders/A", target, "--resume", "--format", "mbox"), "exists already"),
            (("Public Folders/X", target + "x"), "there is no folder 'Public Folders/X'"),
            (("Public Folders/A", str(self.directory / "full/x"), "--format", "mbox"), "exists already"),
        ):
            _, errors = self.run_("export", *words, code=1)
            self.assertIn(expected, errors)
        self.assertEqual((self.directory / "full/x").read_bytes(), b"precious")

    def test_goneMeanwhile(self) -> None:
        """
        Messages that are deleted while others are exported are counted.
        """
        self.fill("Public Folders/A", (MAIL, b"A: b\n\n"))
        real = Exporter._messages

        async def deleting(exporter, opened):  # type: ignore[no-untyped-def]
            async for each in real(exporter, opened):
                uids = UidSet(((each.uid, each.uid),))
                await exporter._store.storeFlags(SYSTEM, opened.folder, uids, FlagMode.ADD, ("\\Deleted",))
                if each.uid == 2:
                    await exporter._store.expunge(SYSTEM, opened.folder, uids)
                yield each

        for format_, where in (("maildir", "out"), ("mbox", "box")):
            with mock.patch.object(Exporter, "_messages", deleting):
                words = ("export", "Public Folders/A", str(self.directory / where), "--format", format_)
                output, _ = self.run_(*words)
            self.assertIn("deleted meanwhile: 1 message\n", output)
            self.assertIn("exported 1 message of 1 folder\n", output)
            self.run_("folder", "delete", "Public Folders/A", "--with-messages")
            self.fill("Public Folders/A", (MAIL, b"A: b\n\n"))

    def test_full(self) -> None:
        """
        Where there is no room, that is said with the file, and nothing half written stays.
        """
        self.fill("Public Folders/A", (MAIL,))
        for format_, where in (("maildir", "out"), ("mbox", "box")):
            full = OSError(28, "No space left on device", "/f")
            failing = "utime" if format_ == "maildir" else "fsync"
            with mock.patch(f"mailstore.admin.exporting.os.{failing}", side_effect=full):
                words = ("export", "Public Folders/A", str(self.directory / where), "--format", format_)
                _, errors = self.run_(*words, code=1)
            self.assertIn("mailstore: /f: No space left on device\n", errors)
        self.assertEqual(list((self.directory / "out/tmp").iterdir()), [])
        self.assertFalse((self.directory / "box.part").exists())

    def test_names(self) -> None:
        """
        Directories tell names, and names directories.
        """
        for name in ("a", "a/b", "a.b/c", "&", "\u00fc.\u00fc/-", "."):
            self.assertEqual("/".join(folderParts(subfolder(name))), name)
        self.assertRaises(InvalidName, subfolder, "x" * 255)
        self.assertEqual(
            maildirFlags("1:2," + letters(("\\seen", "$Forwarded", "other"))), ("$Forwarded", "\\Seen")
        )


class MboxTests(ExportCase):
    """
    Mbox files.
    """

    def test_oneFile(self) -> None:
        """
        A folder without others below it is one file, which Python's own library reads; quoted
        lines come back.
        """
        self.fill("Public Folders/A", _AWKWARD)
        target = str(self.directory / "a.mbox")
        self.run_("export", "Public Folders/A", target, "--format", "mbox")
        self.assertEqual(os.stat(target).st_mode & 0o777, 0o600)
        self.assertTrue(
            Path(target).read_bytes().startswith(b"From MAILER-DAEMON Mon Jan 12 13:46:40 1970\n")
        )
        self.assertEqual(len(mailbox.mbox(target, create=False)), len(_AWKWARD))
        self.run_("import", target, "Public Folders/Z")
        expected = Counter(each if each.endswith(b"\n") or not each else each + b"\n" for each in _AWKWARD)
        self.assertEqual(self.bytes_("Public Folders/Z"), expected)
        dates = sorted(date for _, _, date in self.held("Public Folders/Z"))
        self.assertEqual(dates, [1_000_000 + at for at in range(len(_AWKWARD))])

    def test_tree(self) -> None:
        """
        A folder with others below it is a directory; importing it into the folder above
        gives the same.
        """
        names = ("A", "A/B", "A/B.sbd/C", "A/C.mbox")
        for name in names:
            self.fill(f"Public Folders/{name}", (MAIL, name.encode() + b": x\n\n"))
        self.run_("folder", "create", "Public Folders/A/.x")
        target = str(self.directory / "out")
        output, errors = self.run_("export", "Public Folders/A", target, "--format", "mbox", code=1)
        self.assertIn("not exported: Public Folders/A/.x: no file can have that name\n", errors)
        self.assertIn("exported 8 messages of 5 folders", output)
        self.run_("import", target, "Public Folders/Z")
        for name in names:
            self.assertEqual(self.bytes_(f"Public Folders/{name}"), self.bytes_(f"Public Folders/Z/{name}"))

    def test_resumed(self) -> None:
        """
        What was whole stays as it is, what was not is written again.
        """
        for name in ("A", "A/B"):
            self.fill(f"Public Folders/{name}", (MAIL,))
        target = self.directory / "out"
        words = ("export", "Public Folders/A", str(target), "--format", "mbox")
        self.run_(*words)
        os.rename(target / "A/B.mbox", target / "A/B.mbox.part")
        before = (target / "A.mbox").stat()
        output, _ = self.run_(*words, "--resume")
        self.assertIn("1 message", output)
        self.assertEqual((target / "A.mbox").stat(), before)
        self.assertTrue((target / "A/B.mbox").exists())
        self.assertFalse((target / "A/B.mbox.part").exists())


class SkipExistingTests(ExportCase):
    """
    C{mailstore import --skip-existing}.
    """

    def test_twice(self) -> None:
        """
        A second import adds nothing, however often the same message is in the source.
        """
        path = self.put("box", (FROM + MAIL + b"\n") * 3 + FROM + b"A: b\n\n")
        words = ("import", path, "Public Folders/A", "--skip-existing")
        self.assertIn("imported 4 messages", self.run_(*words)[0])
        output, _ = self.run_(*words)
        self.assertIn("there already: 4 messages\n", output)
        self.assertIn("imported 0 messages", output)
        self.assertIn("imported 4 messages", self.run_(*words[:-1])[0])

    def test_goesOn(self) -> None:
        """
        An import that ended in the middle is made whole: all is there, and nothing twice.
        """
        contents = [b"N: %d\n\n" % (each % 7) for each in range(20)]
        path = self.put("box", b"".join(FROM + each + b"\n" for each in contents))
        part = self.put("part", b"".join(FROM + each + b"\n" for each in contents[:9]))
        self.run_("import", part, "Public Folders/A")
        output, _ = self.run_("import", path, "Public Folders/A", "--skip-existing")
        self.assertIn("there already: 9 messages\n", output)
        self.assertEqual(self.bytes_("Public Folders/A"), Counter(contents))

    def test_folders(self) -> None:
        """
        It counts for each folder by itself.
        """
        for each in ("tree/a.eml", "tree/x/a.eml"):
            self.put(each)
        self.run_("import", self.put("tree/a.eml"), "Public Folders/A")
        output, _ = self.run_("import", str(self.directory / "tree"), "Public Folders/A", "--skip-existing")
        self.assertIn("        1 Public Folders/A/x\n", output)
        self.assertIn("imported 1 message into 2 folders", output)


class KilledTests(ExportCase):
    """
    An import that is killed.
    """

    def test_goesOn(self) -> None:
        """
        After C{kill -9} in the middle, a second import makes it whole: all is there, and nothing twice.
        """
        contents = [b"N: %d\n\n%s\n" % (each, b"x" * 500) for each in range(2000)]
        path = self.put("box", b"".join(FROM + each + b"\n" for each in contents))
        words = ("import", path, "Public Folders/A", "--skip-existing")
        process = subprocess.Popen(
            [sys.executable, "-m", "mailstore", *words, "--store", self.url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        db = sqlite3.connect(self.url.partition(":")[2])
        self.addCleanup(db.close)
        while process.poll() is None and not db.execute("SELECT 1 FROM messages LIMIT 1").fetchone():
            pass
        process.kill()
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.run_("check")
        output, _ = self.run_(*words)
        self.assertIn("there already: ", output)
        self.assertEqual(self.bytes_("Public Folders/A"), Counter(contents))
        self.run_("check")
