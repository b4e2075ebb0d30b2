"""
Serve a folder of .eml files (or an mbox, or a Maildir) over IMAP until its input
ends (Ctrl-D)::

    python examples/serve_folder.py ~/letters
"""

import sys
from pathlib import Path

from mailstore.testing import MailServer

path = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).parent / "letters")
with MailServer(users={"reader": "secret"}) as server:
    number = server.load(path, "Public Folders/Letters")
    print(f"{number} messages at {server.host}, port {server.port}: user reader, password secret")
    sys.stdin.read()
