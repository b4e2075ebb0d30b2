"""
Tests for L{mailstore.admin.sources}.
"""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mailstore.admin.maildirs import maildirFlags
from mailstore.admin.sources import (
    Folder,
    Found,
    Kind,
    Remark,
    Source,
    looksLikeMail,
    messages,
    scan,
)

MAIL = b"Subject: x\r\n\r\nbody\r\n"
FROM = b"From ann@example.org Tue May 10 11:28:07 2005\n"


class SourcesTestCase(SynchronousTestCase):
    """
    A directory to put files in.
    """

    def setUp(self) -> None:
        """
        Make it.
        """
        self.top = Path(self.mktemp())
        self.top.mkdir()

    def put(self, path: str, content: bytes = MAIL, changed: int = 1000) -> str:
        """
        Write a file, with the directories it needs.
        """
        file = self.top / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (changed, changed))
        return str(file)

    def maildir(self, path: str) -> None:
        """
        Make an empty Maildir.
        """
        for each in ("cur", "new", "tmp"):
            (self.top / path / each).mkdir(parents=True)

    def found(self, path: str = "") -> list[tuple[str, str, str]]:
        """
        What L{scan} tells: what it is, its path below the top, and its folder or the reason.
        """
        told = []
        for each in scan(str(self.top / path)):
            if isinstance(each, Folder):
                told.append(("folder", "", "/".join(each.folder)))
                continue
            shown = os.path.relpath(each.path, self.top)
            if isinstance(each, Source):
                told.append((each.kind.name, shown, "/".join(each.folder)))
            else:
                told.append(("passed over" if each.harmless else "problem", shown, each.reason))
        return told


class ScanTests(SourcesTestCase):
    """
    L{scan}.
    """

    def test_oneFile(self) -> None:
        """
        A file that was named is an mbox, a message or no mail, whatever its name.
        """
        for name, content, expected in (
            ("a.eml", MAIL, ("EML", "a.eml", "")),
            ("f.eml", FROM + MAIL, ("EML", "f.eml", "")),
            ("letter", MAIL, ("EML", "letter", "")),
            ("p.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR: x", ("problem", "p.png", "no mail")),
            ("p.py", b"from mail import x\nfrom y import z\n", ("problem", "p.py", "no mail")),
            ("bad.eml", b"just a sentence\n", ("problem", "bad.eml", "no mail")),
            ("none.eml", b"", ("problem", "none.eml", "no mail")),
            ("x.mbox", b"Subject: y\n", ("problem", "x.mbox", "no mbox: it does not begin with 'From '")),
        ):
            self.put(name, content)
            self.assertEqual(self.found(name), [expected])
        self.put("box", FROM + MAIL)
        self.assertEqual(self.found("box"), [("folder", "", ""), ("MBOX", "box", "")])
        self.put("e.mbox", b"")
        self.assertEqual(self.found("e.mbox"), [("folder", "", ""), ("MBOX", "e.mbox", "")])

    def test_nothingThere(self) -> None:
        """
        A path that does not exist, or cannot, is named with the reason.
        """
        self.assertEqual(self.found("gone"), [("problem", "gone", "No such file or directory")])
        self.assertEqual(
            [each.reason for each in scan("a\0b") if isinstance(each, Remark)], ["no path can have that name"]
        )

    def test_tree(self) -> None:
        """
        Directories are folders, mboxes too; other files are passed over; what
        calls itself a message and is none, is a problem.
        """
        self.put("b.eml")
        self.put("LICENSE", b"Permission is hereby granted")
        self.put("work/a.eml")
        self.put("work/deep/c.EML")
        self.put("work/no.eml", b"\0\0")
        self.put("work/Old.mbox", FROM + MAIL)
        self.put("work/Sent", FROM + MAIL)
        self.put("work/Sent.sbd/More", FROM + MAIL)
        self.put(".git/x.eml")
        (self.top / "loop").symlink_to(self.top.resolve())
        os.mkfifo(self.top / "pipe")
        self.assertEqual(
            self.found(),
            [
                ("passed over", ".git", "a hidden directory"),
                ("passed over", "LICENSE", "no mail"),
                ("EML", "b.eml", ""),
                ("passed over", "loop", "a link to a directory"),
                ("passed over", "pipe", "no file"),
                ("folder", "", "work/Old"),
                ("MBOX", "work/Old.mbox", "work/Old"),
                ("folder", "", "work/Sent"),
                ("MBOX", "work/Sent", "work/Sent"),
                ("folder", "", "work/Sent/More"),
                ("MBOX", "work/Sent.sbd/More", "work/Sent/More"),
                ("EML", "work/a.eml", "work"),
                ("EML", "work/deep/c.EML", "work/deep"),
                ("problem", "work/no.eml", "no mail"),
            ],
        )

    def test_maildir(self) -> None:
        """
        A Maildir with subfolders of both styles, in the order of arrival;
        files that belong to other programs are passed over.
        """
        self.maildir("md")
        self.put("md/cur/2:2,S", changed=1)
        self.put("md/new/1", changed=2)
        self.put("md/cur/.hidden")
        self.put("md/tmp/3")
        self.put("md/dovecot-uidlist", b"3 V1")
        self.maildir("md/.Work.Caf&AOk-")
        self.put("md/.Work.Caf&AOk-/cur/4", b"no mail at all")
        self.maildir("md/.bad&name")
        self.maildir("md/Sub")
        self.assertEqual(
            self.found("md"),
            [
                ("folder", "", ""),
                ("MAILDIR", "md/cur/2:2,S", ""),
                ("MAILDIR", "md/new/1", ""),
                ("folder", "", "Work/Caf\u00e9"),
                ("MAILDIR", "md/.Work.Caf&AOk-/cur/4", "Work/Caf\u00e9"),
                ("folder", "", "bad&name"),
                ("folder", "", "Sub"),
                ("passed over", "md/dovecot-uidlist", "no mail"),
            ],
        )

    def test_tooDeep(self) -> None:
        """
        There is an end to following directories.
        """
        self.put("d/" * 40 + "x.eml")
        ((kind, _, reason),) = self.found()
        self.assertEqual((kind, reason), ("problem", "more than 30 directories deep"))


class MessagesTests(SourcesTestCase):
    """
    L{messages}.
    """

    def read(self, path: str, largest: int = 1000) -> list[Found | Remark]:
        """
        All messages of one path.
        """
        read: list[Found | Remark] = []
        for each in scan(str(self.top / path)):
            if isinstance(each, Source):
                read += messages(each, largest)
        return read

    def test_eml(self) -> None:
        """
        A message is taken byte for byte, also with a C{From } line, which
        tells its date; otherwise its Received field does, else its file.
        """
        received = b"Received: x; Tue, 10 May 2005 13:28:07 +0200\n\n"
        for content, arrival in (
            (MAIL, (1000, 0)),
            (FROM + MAIL, (1115724487, 0)),
            (received, (1115724487, 120)),
        ):
            path = self.put("a.eml", content)
            self.assertEqual(self.read("a.eml"), [Found(path, content, (), arrival)])

    def test_mbox(self) -> None:
        """
        Messages of an mbox are numbered for people, and have flags and dates.
        """
        path = self.put("box", FROM + b"Status: RO\n\nx\n\n" + FROM + b"A: b\n")
        self.assertEqual(
            self.read("box"),
            [
                Found(f"{path}, message 1", b"Status: RO\n\nx\n", ("\\Seen",), (1115724487, 0)),
                Found(f"{path}, message 2", b"A: b\n", (), (1115724487, 0)),
            ],
        )

    def test_maildir(self) -> None:
        """
        Messages of a Maildir have flags from their names and dates from their files.
        """
        self.maildir("")
        path = self.put("cur/1.host:2,FS", b"\0 whatever", changed=77)
        self.assertEqual(self.read(""), [Found(path, b"\0 whatever", ("\\Flagged", "\\Seen"), (77, 0))])

    def test_flags(self) -> None:
        """
        All letters, none, and those of other programs.
        """
        self.assertEqual(
            set(maildirFlags("x/1:2,DFPRST")),
            {"\\Draft", "\\Flagged", "$Forwarded", "\\Answered", "\\Seen", "\\Deleted"},
        )
        for name in ("1", "1:2,", "1:2,ab", "1:1,S", "S"):
            self.assertEqual(maildirFlags(name), (), name)
        self.assertEqual(maildirFlags("1!2,S"), ("\\Seen",))

    def test_tooLarge(self) -> None:
        """
        A message that no store would take is named.
        """
        self.put("a.eml")
        (remark,) = self.read("a.eml", 5)
        assert isinstance(remark, Remark)
        self.assertEqual(remark.reason, "larger than 5 bytes, the most that this store takes")
        self.put("box", FROM + MAIL)
        (remark,) = self.read("box", 5)
        assert isinstance(remark, Remark)
        self.assertTrue(remark.path.endswith("box, message 1"))

    def test_vanished(self) -> None:
        """
        A file that is gone when its turn comes is named.
        """
        path = self.put("a.eml")
        (source,) = scan(path)
        os.unlink(path)
        assert isinstance(source, Source)
        self.assertEqual(list(messages(source, 100)), [Remark(path, "No such file or directory")])


class LooksLikeMailTests(SynchronousTestCase):
    """
    L{looksLikeMail}.
    """

    def test_mail(self) -> None:
        """
        A header field in the first lines makes a message, however broken.
        """
        for head in (MAIL, FROM, b"\r\nCC: b", b"garbage\nTo : x", b"X-Y:", b"\xff\nSubject:y"):
            self.assertTrue(looksLikeMail(head, True), head)
            self.assertTrue(looksLikeMail(head, False), head)

    def test_noMail(self) -> None:
        """
        Text, nothing, and binary data make none.
        """
        for head in (b"", b"\n\n", b"Dear Ann,\nhow are you\n\nSubject: x", b"\0A: b\n", b"a b: c"):
            self.assertFalse(looksLikeMail(head, True), head)

    def test_otherFilesWithColons(self) -> None:
        """
        An unknown field makes a message only of a file whose name says that it is one.
        """
        passwd = b"root:x:0:0:root:/root:/bin/sh\nbin:x:1:1::/bin:/bin/false\n"
        self.assertTrue(looksLikeMail(passwd, True))
        self.assertFalse(looksLikeMail(passwd, False))

    def test_realMail(self) -> None:
        """
        All of the project's sample mail is mail.
        """
        import tests

        directory = Path(tests.__file__).parent / "mail"
        files = sorted(directory.glob("*/*.eml"))
        self.assertEqual(len(files), 103)
        kinds = {each.kind for each in scan(str(directory)) if isinstance(each, Source)}
        self.assertEqual(kinds, {Kind.EML})
        self.assertEqual(
            [each.path for each in scan(str(directory)) if isinstance(each, Remark) and not each.harmless], []
        )
