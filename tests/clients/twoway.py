"""
What a program that keeps a Maildir and a server alike must do, whichever it is.
"""

from __future__ import annotations

import pathlib
import re
from typing import Any

from tests.clients.looking import file, folders, letter, look, signedIn
from tests.clients.servercase import ServerProcess

#: Where both sides change something at the same time.
_PLACES = ("INBOX", "Public Folders/News", "Public Folders/Projects/Bridge")

_KEPT = ("keep", "far flag", "near flag", "both flag")
_GOES = ("far gone", "near gone", "both gone")

#: The flags of a Maildir, which are letters at the end of a file's name.
_LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}

_SUBJECT = re.compile(rb"(?im)^Subject: *(.*?)\r?$")


class TwoWayTestsMixin:
    """
    Two-way synchronisation that converges.
    """

    def begin(self, server: ServerProcess, base: pathlib.Path) -> None:
        """
        Write a configuration for alice, all of her folders and a Maildir in C{base}.
        """
        raise NotImplementedError

    def sync(self) -> None:
        """
        Run it once.
        """
        raise NotImplementedError

    def place(self, folder: str) -> pathlib.Path:
        """
        The Maildir of a folder, whose name is given as a server writes it.
        """
        raise NotImplementedError

    def _files(self, folder: str) -> list[pathlib.Path]:
        return [path for part in ("cur", "new") for path in sorted((self.place(folder) / part).glob("*"))]

    def _near(self: Any, folder: str) -> dict[str, tuple[pathlib.Path, set[str]]]:
        """
        The messages of a Maildir by their subjects.
        """
        found: dict[str, tuple[pathlib.Path, set[str]]] = {}
        for path in self._files(folder):
            subject = _SUBJECT.search(path.read_bytes())
            assert subject is not None, path
            name = subject[1].decode()
            self.assertNotIn(name, found)
            flags = path.name.partition(":2,")[2]
            found[name] = (path, {_LETTERS[each] for each in flags})
        return found

    def _sides(self: Any, server: ServerProcess) -> dict[str, dict[str, set[str]]]:
        """
        All folders, after it was seen that they are alike on both sides.
        """
        sides = {}
        for folder in sorted(folders(server)):
            far = look(server, folder)
            near = {name: flags for name, (_, flags) in self._near(folder).items()}
            self.assertEqual(near, far, folder)
            sides[folder] = far
        return sides

    def _everything(self: Any, server: ServerProcess) -> tuple[dict[str, bytes], list[bytes]]:
        """
        Each file, and each answer of the server, that a change would change.
        """
        files: dict[str, bytes] = {}
        client = signedIn(server)
        answers: list[bytes] = []
        for folder in sorted(folders(server)):
            files |= {str(path): path.read_bytes() for path in self._files(folder)}
            name = folder.encode()
            answers += client.command(b'STATUS "%s" (UIDNEXT UIDVALIDITY MESSAGES HIGHESTMODSEQ)' % name)[:-1]
            client.command(b'EXAMINE "%s"' % name)
            answers += client.command(b"UID FETCH 1:* (FLAGS MODSEQ)")[:-1]
        client.close()
        return files, [re.sub(rb" ?\\Recent", b"", each) for each in answers]

    def _changeFar(self: Any, server: ServerProcess, folder: str) -> None:
        client = signedIn(server)
        client.command(f'SELECT "{folder}"'.encode())

        def store(subject: str, flag: bytes) -> None:
            found = client.command(f'UID SEARCH SUBJECT "{subject}"'.encode())[0].split()[2:]
            self.assertEqual(len(found), 1, subject)
            self.assertIn(b" OK", client.command(b"UID STORE %b +FLAGS (%b)" % (found[0], flag))[-1])

        store("far flag", b"\\Flagged")
        store("both flag", b"\\Answered")
        for subject in ("far gone", "both gone"):
            store(subject, b"\\Deleted")
        self.assertIn(b" OK", client.command(b"CLOSE")[-1])
        client.close()
        file(server, folder, letter("far new"))

    def _changeNear(self: Any, folder: str) -> None:
        near = self._near(folder)
        for subject, flag in (("near flag", "F"), ("both flag", "S")):
            path, flags = near[subject]
            letters = {letter for letter, name in _LETTERS.items() if name in flags} | {flag}
            stem = path.name.partition(":2,")[0]
            path.rename(path.parents[1] / "cur" / f"{stem}:2,{''.join(sorted(letters))}")
        for subject in ("near gone", "both gone"):
            near[subject][0].unlink()
        new = self.place(folder) / "new" / f"1700000000.{len(folder)}_1.example"
        new.write_bytes(letter("near new").replace(b"\r\n", b"\n"))

    def test_converges(self: Any) -> None:
        """
        The whole tree comes down.  Then both sides get a new message, set a flag and lose a message in
        the same folders at the same time; after one run both have all of it, nothing is lost or
        doubled, and a further run changes nothing on either side.
        """
        server = self.serve("--demo")
        for folder in _PLACES:
            for subject in (*_KEPT, *_GOES):
                file(server, folder, letter(subject))
        self.begin(server, self.directory())
        self.sync()
        first = self._sides(server)
        self.assertGreater(len(first), 5)
        self.assertEqual(set(_KEPT + _GOES) - set(first["INBOX"]), set())

        for folder in _PLACES:
            self._changeFar(server, folder)
            self._changeNear(folder)
        self.sync()
        second = self._sides(server)
        for folder in _PLACES:
            before = {name: flags for name, flags in first[folder].items() if name not in _GOES}
            expected = {
                **before,
                "far flag": before["far flag"] | {"\\Flagged"},
                "near flag": before["near flag"] | {"\\Flagged"},
                "both flag": before["both flag"] | {"\\Answered", "\\Seen"},
                "far new": second[folder].get("far new"),
                "near new": second[folder].get("near new"),
            }
            self.assertEqual(second[folder], expected, folder)

        everything = self._everything(server)
        self.sync()
        self.assertEqual(self._everything(server), everything)
