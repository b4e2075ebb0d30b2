"""
Serve a folder of .eml files (or an mbox, or a Maildir) over IMAP, to look at it
with any mail program or to test one::

    python examples/serve_folder.py ~/letters          # until Ctrl-C
    python examples/serve_folder.py --once ~/letters   # look at it with imaplib, and end
"""

import imaplib
import sys
import threading
from pathlib import Path

from mailstore.testing import MailServer

once = "--once" in sys.argv
paths = [each for each in sys.argv[1:] if each != "--once"]
path = paths[0] if paths else str(Path(__file__).parent / "letters")

with MailServer(users={"reader": "secret"}) as server:
    number = server.load(path, "Public Folders/Letters")
    print(f"{number} messages at {server.host}, port {server.port}: user reader, password secret")
    if once:
        with imaplib.IMAP4(server.host, server.port) as client:
            client.login("reader", "secret")
            print(client.status('"Public Folders/Letters"', "(MESSAGES UNSEEN)"))
    else:
        threading.Event().wait()
