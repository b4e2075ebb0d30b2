"""
Read public folders with the standard library's imaplib.

Without arguments it starts a server of its own; with HOST PORT USER PASSWORD
it reads from that one, for example from C{twist mailstore --demo}::

    python examples/read_with_imaplib.py 127.0.0.1 1143 alice password
"""

import email
import email.policy
import imaplib
import sys
from pathlib import Path

from mailstore.testing import MailServer


def read(host: str, port: int, user: str, password: str) -> None:
    """
    Print the subjects in all public folders.
    """
    with imaplib.IMAP4(host, port) as client:
        client.login(user, password)
        _, folders = client.list('"Public Folders/"', "*")
        for line in folders:
            assert isinstance(line, bytes), "a folder's name came as a literal"
            name = line.rpartition(b' "/" ')[2].decode()
            # EXAMINE: look, and change nothing.
            status, answer = client.select(name, readonly=True)
            if status != "OK":
                continue
            print(name, answer[0].decode() if answer[0] else "0")
            _, fetched = client.fetch("1:*", "(BODY.PEEK[HEADER])") if answer != [b"0"] else ("OK", [])
            for part in fetched:
                if isinstance(part, tuple):
                    message = email.message_from_bytes(part[1], policy=email.policy.default)
                    print("   ", message["subject"])


if len(sys.argv) == 5:
    read(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
else:
    with MailServer(users={"alice": "secret"}) as server:
        server.load(str(Path(__file__).parent / "letters"), "Public Folders/Letters")
        read(server.host, server.port, "alice", "secret")
