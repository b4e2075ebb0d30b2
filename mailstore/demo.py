"""
Something to look at: two users and a few public folders with invented mail.

alice is an administrator of the public folders, bob a reader.  The password of
both is C{password}, which is why a demo is only ever served to this machine.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from mailstore.auth.keys import QUICK_ITERATIONS, makeCredentials
from mailstore.interfaces import IStore
from mailstore.model import ALL_RIGHTS, INBOX, OTHERS_ROOT, PUBLIC_ROOT, SEPARATOR, SYSTEM, NewMessage

#: The users, in order.
USERS = ("alice", "bob")

#: The password of both.
PASSWORD = "password"

#: When the first message arrived (1 June 2026, 08:00 UTC), and the seconds from each to the next.
_FIRST, _STEP = 1780300800, 5400

#: Per folder its messages: sender, subject, text.
_PUBLIC: dict[str, tuple[tuple[str, str, str], ...]] = {
    "News": (
        (
            "Alice Archer <alice@example.org>",
            "Welcome",
            "These are the public folders of the demo.\n\nEverybody may read them; alice may also write.",
        ),
        (
            "The Editor <editor@example.org>",
            "Lift out of order",
            "The lift in the east wing rests until Thursday. The stairs are said to be healthy.",
        ),
        (
            "José Márquez <jose@example.org>",
            "Crème brûlée on Friday",
            "The canteen tries a new dessert on Friday: crème brûlée. Bring your own spoon.",
        ),
    ),
    "Projects": (),
    "Projects/Bridge": (
        (
            "Bob Baker <bob@example.org>",
            "Foundations are dry",
            "We can pour concrete from Monday on. The geese have moved out by themselves.",
        ),
        (
            "Alice Archer <alice@example.org>",
            "Re: Foundations are dry",
            "> We can pour concrete from Monday on.\n\nGood. Please keep the geese informed.",
        ),
    ),
    "Projects/Tunnel": (
        (
            "Carla Çelik <carla@example.org>",
            "Light seen",
            "At the end of the tunnel, yesterday at four. It was the other team.",
        ),
    ),
    "Sales": (),
    "Sales/Reports": (
        (
            "Dora Dahl <dora@example.org>",
            "Umbrellas, May",
            "Rainy days: 17\nUmbrellas sold: 412\nUmbrellas brought back: 3",
        ),
    ),
    "Søciety": (
        (
            "Emil Østby <emil@example.org>",
            "Chess on Tuesdays",
            "Four boards, one clock. Beginners play white.",
        ),
    ),
}

_WELCOME = (
    "The Demo <demo@example.org>",
    "Your mailbox",
    "Only you can see this message. The public folders are below 'Public Folders'.",
)


async def fillDemo(store: IStore) -> None:
    """
    Fill an empty store.

    @raise StoreError: it cannot be filled.
    """
    for user in USERS:
        await store.createUser(user, makeCredentials(PASSWORD, QUICK_ITERATIONS))
        inbox = SEPARATOR.join((OTHERS_ROOT, user, INBOX))
        await store.append(SYSTEM, inbox, (_message(0, f"{user}@example.org", *_WELCOME),))
    await store.setRights(SYSTEM, PUBLIC_ROOT, "alice", ALL_RIGHTS)
    number = 0
    for path, contents in _PUBLIC.items():
        name = SEPARATOR.join((PUBLIC_ROOT, path))
        await store.createFolder(SYSTEM, name)
        if contents:
            messages = [
                _message(number + at, "everybody@example.org", *each) for at, each in enumerate(contents)
            ]
            await store.append(SYSTEM, name, tuple(messages))
            number += len(contents)


def _message(number: int, to: str, sender: str, subject: str, text: str) -> NewMessage:
    """
    @param number: makes its Message-ID and its date.
    """
    when = _FIRST + number * _STEP
    name, address = parseaddr(sender)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(name, addr_spec=address)
    message["To"] = to
    message["Subject"] = subject
    message["Date"] = format_datetime(datetime.fromtimestamp(when, UTC))
    message["Message-ID"] = f"<{number}.{to.partition('@')[0]}@demo.example.org>"
    message.set_content(text + "\n", cte="quoted-printable" if not text.isascii() else "7bit")
    return NewMessage(message.as_bytes(), (), when, 0)
