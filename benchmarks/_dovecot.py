"""
A private Dovecot on loopback, with the same public folders as ours.

It runs as its documentation has it for shared folders (a public namespace of Maildir++,
one index for all) and for a busy server: processes of a service are used again and
again, each for many clients, and are there before they are needed.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import pwd
import shutil
from collections.abc import Iterator

from benchmarks._corpus import BIG, INCOMING, message, small
from benchmarks._imapload import freePort, running

_CONFIG = """\
protocols = imap
listen = 127.0.0.1
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
first_valid_uid = 1
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
default_client_limit = 20000
default_vsz_limit = 0
mailbox_list_index = {list_index}
mail_max_userip_connections = 0

passdb {{
  driver = static
  args = password=password
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner_group} home={base}/users/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  location = maildir:~/mail
}}
namespace public {{
  type = public
  separator = /
  prefix = Public Folders/
  location = maildir:{base}/public
  subscriptions = no
  list = yes
}}
service imap-login {{
  chroot =
  service_count = 0
  process_min_avail = 2
  process_limit = 2
  client_limit = 10000
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service imap {{
  service_count = 0
  process_min_avail = {processes}
  process_limit = {most}
  client_limit = {shared}
}}
service auth {{
  chroot =
  client_limit = 20000
}}
service anvil {{
  chroot =
  client_limit = 20000
}}
service stats {{
  chroot =
  client_limit = 20000
}}
protocol imap {{
  mail_max_userip_connections = 0
}}
"""


def installed() -> str | None:
    """
    The program, if Debian's C{dovecot-imapd} or its like is there.
    """
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    program = shutil.which("dovecot", path=path)
    return program if program and pathlib.Path("/usr/lib/dovecot/imap").exists() else None


def fill(base: pathlib.Path, names: list[str], messages: int) -> None:
    """
    Make the folders, as files.
    """
    public = base / "public"
    for number, name in enumerate(["", *names]):
        folder = public / ("." + name.replace("/", ".") if name else "")
        for part in ("cur", "new", "tmp"):
            (folder / part).mkdir(parents=True)
        if not name or name == INCOMING:
            continue
        if name == BIG:
            for each in range(messages):
                data = message(each)
                (folder / "cur" / f"{1_700_000_000 + each}.M{each}P1.bench,S={len(data)}:2,").write_bytes(
                    data
                )
        else:
            data = small(number)
            (folder / "cur" / f"1700000000.M{number}P1.bench,S={len(data)}:2,").write_bytes(data)


@contextlib.contextmanager
def dovecot(base: pathlib.Path, list_index: bool, apart: bool = False) -> Iterator[tuple[int, int]]:
    """
    Run one over what L{fill} made.

    @param apart: whether each client has a process of its own, without which several clients
        that IDLE in the same folder are not all told of a change: a process is told by the
        system only once.
    @return: process id and port.
    """
    program = installed()
    assert program is not None
    port = freePort()
    me = pwd.getpwuid(os.getuid())
    names = dict.fromkeys(("internal", "login", "owner"), me.pw_name)
    group = owner_group = str(me.pw_gid)
    if me.pw_uid == 0:
        # Mail is never root's: the users that the package made serve.
        names = {"internal": "dovecot", "login": "dovenull", "owner": "dovecot"}
        owner = pwd.getpwnam("dovecot")
        group, owner_group = "dovecot", str(owner.pw_gid)
        for directory, _, files in os.walk(base):
            os.chown(directory, owner.pw_uid, owner.pw_gid)
            for each in files:
                os.chown(os.path.join(directory, each), owner.pw_uid, owner.pw_gid)
    else:
        import grp

        group = grp.getgrgid(me.pw_gid).gr_name
    config = base / "dovecot.conf"
    config.write_text(
        _CONFIG.format(
            base=base,
            port=port,
            list_index="yes" if list_index else "no",
            group=group,
            owner_group=owner_group,
            processes=20 if apart else 2,
            most=10_000 if apart else 2,
            shared=1 if apart else 10_000,
            **names,
        )
    )
    for each in ("run", "state", "users"):
        (base / each).mkdir(exist_ok=True)
        if me.pw_uid == 0:
            os.chown(base / each, owner.pw_uid, owner.pw_gid)
    with running([program, "-F", "-c", str(config)], port, base / "output.log") as pid:
        yield pid, port
