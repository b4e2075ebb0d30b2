"""
The store in one process, the IMAP front end in another, joined by a Unix socket.

Each could be restarted without the other, and more front ends could use the
same store.  Here both are started, used once, and stopped; the second half
shows what a client sees when the store is killed: nothing but a moment's wait.
"""

import imaplib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def twist(*words: str) -> "subprocess.Popen[bytes]":
    """
    Start C{twist mailstore} with these words.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "twisted", "--log-file", "log.json", "mailstore", *words], cwd=directory
    )


def mailstore(*words: str, given: str = "") -> None:
    """
    Run the C{mailstore} command.
    """
    command = [sys.executable, "-m", "mailstore", *words, "--store", "sqlite:mail.db"]
    subprocess.run(command, cwd=directory, input=given.encode(), check=True)


def connect() -> imaplib.IMAP4:
    """
    Connect, as soon as somebody listens.
    """
    for _ in range(300):
        try:
            return imaplib.IMAP4("127.0.0.1", port)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise SystemExit("nobody listens")


directory = tempfile.mkdtemp(prefix="two-")
with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]

mailstore("init")
mailstore("user", "add", "reader", "--password-stdin", given="secret\n")
mailstore("import", str(Path(__file__).parent.resolve() / "letters"), "Public Folders/Letters")

place = f"unix:{directory}/store"
store_options = ("--role", "store", "--store", "sqlite:mail.db", "--transport", place)
store = twist(*store_options)
front_end = twist("--role", "frontend", "--transport", place, "--listen", f"tcp:{port}:interface=127.0.0.1")
try:
    client = connect()
    client.login("reader", "secret")
    print("two processes:", client.select('"Public Folders/Letters"', readonly=True))

    store.send_signal(signal.SIGKILL)
    store.wait()
    store = twist(*store_options)
    print("after kill -9:", client.select('"Public Folders/Letters"', readonly=True))
    client.logout()
finally:
    for process in (front_end, store):
        process.terminate()
        process.wait()
    shutil.rmtree(directory)
