"""
A private Dovecot, and in what its reading of the same messages differs from ours.

C{python -m tests.clients.dovecot} shows all differences in ENVELOPE and BODYSTRUCTURE of the messages of
C{tests/mail}, each with the group of C{docs/imap.md} that explains it.

Dovecot's C{imap} is started alone, signed in from the beginning, and talks over a pipe: it needs no
privilege, no port, and no other of its processes.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from typing import IO

import attrs

from mailstore.testing import MailServer
from tests.clients.explained import explanation
from tests.clients.rawclient import RawClient
from tests.message.imapsyntax import Value, read
from tests.message.mails import realMessages

#: The items that are compared.
ITEMS = ("ENVELOPE", "BODYSTRUCTURE")

#: Whose differences are explained.
VERSION = "2.3"

_IMAP = "/usr/lib/dovecot/imap"

_CONFIG = """\
base_dir = {base}/run
log_path = /dev/stderr
mail_location = maildir:{base}/mail
ssl = no
stats_writer_socket_path =
"""

#: Who it runs as where we are root, which it refuses to be.
_NOBODY = "nobody"

_FETCHED = re.compile(rb"\* (\d+) FETCH \((ENVELOPE|BODYSTRUCTURE) (.*)\)\r\n", re.DOTALL)
_LITERAL = re.compile(rb"\{(\d+)\}\r\n\Z")


@attrs.frozen
class Difference:
    """
    One value that is not the same.
    """

    #: The message's name below C{tests/mail}.
    message: str
    #: One of L{ITEMS}.
    item: str
    #: Which value of the item: positions in lists within lists.
    path: tuple[int, ...]
    ours: Value
    theirs: Value

    def __str__(self) -> str:
        where = ".".join(str(each + 1) for each in self.path) or "whole"
        why = explanation(self.message, self.item, self.path, self.ours, self.theirs)
        return (
            f"{self.message}: {self.item} {where}: {why or 'NOT EXPLAINED'}\n"
            f"  ours    {self.ours!r}\n  Dovecot {self.theirs!r}"
        )


def missing() -> str | None:
    """
    Why it cannot be asked, if it cannot: to be a test's C{skip}.
    """
    if not os.access(_IMAP, os.X_OK):
        return "dovecot is not installed (.ci/run installs it)"
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin"))
    program = shutil.which("dovecot", path=path) or "/usr/sbin/dovecot"
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    if not version.startswith(f"{VERSION}."):
        return f"what is explained are the readings of Dovecot {VERSION}, and this is {version.strip()}"
    return None


def dovecots(messages: Sequence[bytes]) -> list[dict[str, Value]]:
    """
    What Dovecot says of messages: for each the L{ITEMS}.
    """
    commands = [b"a SELECT INBOX\r\n"]
    commands += [b"b APPEND INBOX {%d+}\r\n%b\r\n" % (len(each), each) for each in messages]
    commands += [b"c SELECT INBOX\r\n"]
    commands += [b"d FETCH 1:* (%b)\r\n" % item.encode() for item in ITEMS]
    commands += [b"e LOGOUT\r\n"]
    with tempfile.TemporaryDirectory(prefix="dovecot") as directory:
        said = _talk(pathlib.Path(directory), b"".join(commands))
    found = _items(_responses(said))
    assert len(found) == len(messages), said[-2000:]
    return found


def _talk(base: pathlib.Path, commands: bytes) -> bytes:
    """
    Give it commands.

    @param base: an empty directory.
    @return: all that it says.
    """
    for part in ("cur", "new", "tmp"):
        (base / "mail" / part).mkdir(parents=True)
    (base / "run").mkdir()
    (base / "dovecot.conf").write_text(_CONFIG.format(base=base))
    user = group = groups = None
    if os.geteuid() == 0:
        nobody = pwd.getpwnam(_NOBODY)
        user, group, groups = nobody.pw_uid, nobody.pw_gid, ()
        for each in (base, *base.rglob("*")):
            os.chown(each, user, group)
    with open(base / "errors", "w+b") as errors:
        process = subprocess.Popen(
            [_IMAP, "-c", str(base / "dovecot.conf")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={"USER": _NOBODY, "HOME": str(base), "PATH": "/usr/sbin:/usr/bin:/bin"},
            user=user,
            group=group,
            extra_groups=groups,
        )
        assert process.stdin is not None and process.stdout is not None
        patience = threading.Timer(120, process.kill)
        patience.start()
        # It must not see the end of its input while it has something to say, which it would take for our
        # death; it hangs up by itself when it is told to.
        writing = threading.Thread(target=_give, args=(process.stdin, commands))
        writing.start()
        try:
            said: bytes = process.stdout.read()
        finally:
            process.stdout.close()
            code = process.wait()
            patience.cancel()
            writing.join()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        errors.seek(0)
        assert code == 0, errors.read()
    return said


def _give(pipe: IO[bytes], commands: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.write(commands)
        pipe.flush()


def ours(messages: Sequence[bytes]) -> list[dict[str, Value]]:
    """
    What our server says of messages.
    """
    with MailServer(users={"alice": "password"}, folders=["Other Users/alice/Real"]) as server:
        for each in messages:
            server.append(each, "Real", owner="alice")
        client = RawClient(server.port)
        responses = []
        fetches = (b"FETCH 1:* (%b)" % item.encode() for item in ITEMS)
        for command in (b"LOGIN alice password", b"EXAMINE Real", *fetches):
            *untagged, tagged = client.command(command)
            assert b" OK" in tagged, tagged
            responses += untagged
        client.close()
    found = _items(responses)
    assert len(found) == len(messages)
    return found


def _responses(data: bytes) -> Iterator[bytes]:
    """
    Responses with their literals.
    """
    position = start = 0
    while position < len(data):
        position = data.index(b"\r\n", position) + 2
        literal = _LITERAL.search(data, start, position)
        if literal is not None:
            position += int(literal[1])
        else:
            yield data[start:position]
            start = position


def _items(responses: Iterator[bytes] | list[bytes]) -> list[dict[str, Value]]:
    """
    The items of each message, in the messages' order.
    """
    found: dict[int, dict[str, Value]] = {}
    for response in responses:
        match = _FETCHED.fullmatch(response)
        if match is not None:
            found.setdefault(int(match[1]), {})[match[2].decode()] = read(match[3])
    return [found[number] for number in sorted(found)]


def differences() -> list[Difference]:
    """
    In what the two readings of all real messages differ.
    """
    names, messages = zip(*realMessages(), strict=True)
    found: list[Difference] = []
    for name, mine, other in zip(names, ours(messages), dovecots(messages), strict=True):
        for item in ITEMS:
            found += (
                Difference(name, item, path, *values)
                for path, values in _unlike(item, (), mine[item], other[item])
            )
    return found


def _unlike(
    item: str, path: tuple[int, ...], mine: Value, other: Value
) -> Iterator[tuple[tuple[int, ...], tuple[Value, Value]]]:
    """
    The innermost values that differ, with their places.
    """
    lists = isinstance(mine, tuple) and isinstance(other, tuple)
    if lists and len(mine) == len(other) and not _arePairs(mine, other):
        for number, (left, right) in enumerate(zip(mine, other, strict=True)):
            yield from _unlike(item, (*path, number), left, right)
    elif mine != other:
        yield path, (mine, other)


def _arePairs(mine: Value, other: Value) -> bool:
    """
    They are addresses or parameters, of which a half cannot be explained alone.
    """
    return all(value is None or isinstance(value, bytes) for each in (mine, other) for value in each)


def main() -> int:
    """
    Print all differences.

    @return: 0 if all are explained, 1 if not, 2 if Dovecot is not there.
    """
    why = missing()
    if why is not None:
        print(why, file=sys.stderr)
        return 2
    found = differences()
    for each in found:
        print(each)
    count = sum("NOT EXPLAINED" in str(each) for each in found)
    print(
        f"{len(found)} differences in {len({each.message for each in found})} messages, {count} not explained"
    )
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
