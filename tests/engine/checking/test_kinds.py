"""
Every kind of inconsistency: made, named, mended, and gone.
"""

from __future__ import annotations

import re
from pathlib import Path

import attrs

from mailstore.engine import checking, textindex
from tests.engine.checking.checkcase import CheckCase

_A = "(SELECT id FROM folders WHERE owner = 0 AND name = 'A')"
_SENT = "(SELECT id FROM folders WHERE name = 'Sent')"
_ANN, _BOB = 1, 2
_LARGE = "(SELECT max(id) FROM contents)"


@attrs.frozen
class Case:
    """
    One way to damage a store.
    """

    #: The kinds that are found, of which the first is what it is about.
    kinds: tuple[str, ...]
    statements: tuple[str, ...]
    #: What the report says, somewhere.
    says: str = ""
    #: How many messages can be read less while it is so, and how many more afterwards.
    more: int = 0
    #: Kinds that cannot be mended.
    left: tuple[str, ...] = ()


def _case(kinds: str, *statements: str, says: str = "", more: int = 0, left: str = "") -> Case:
    return Case(tuple(kinds.split()), statements, says, more, tuple(left.split()))


_CASES = (
    # --- the file ---
    _case("schema", "DROP INDEX messages_modseq", says="messages_modseq"),
    _case("single-value", "DELETE FROM meta WHERE key = 'identity'", says="MAILBOXIDs"),
    _case("single-value", "UPDATE meta SET value = 1 WHERE key = 'uid_validity'", says="UIDVALIDITY up to"),
    _case("single-value", "DELETE FROM meta WHERE key = 'shared'", says="'shared'"),
    _case("single-value", "UPDATE meta SET value = 'x' WHERE key = 'personal'", says="'personal'"),
    _case("single-value", "UPDATE meta SET value = 1 WHERE key = 'renditions'", says="'renditions'"),
    _case("single-value", "UPDATE meta SET value = '1.x' WHERE key = 'indexed'", says="'indexed'"),
    _case("identity-reuse", "UPDATE sqlite_sequence SET seq = 1 WHERE name = 'folders'", says="'folders'"),
    _case("identity-reuse", "DELETE FROM sqlite_sequence WHERE name = 'users'", says="'users'"),
    _case("single-value", "DELETE FROM meta WHERE key = 'members'", says="'members'"),
    # --- groups ---
    _case("group-name", "UPDATE user_groups SET name = 'a b/c'", left="group-name"),
    _case("member-orphan", f"INSERT INTO members VALUES ({_BOB}, 70)", says="no such group"),
    _case("member-orphan", "INSERT INTO members VALUES (70, 1)", says="no such user"),
    # --- rights ---
    _case("acl-empty", "UPDATE acls SET entries = 'ann l' || char(10) WHERE id = 1"),
    _case(
        "acl-empty",
        "PRAGMA foreign_keys = OFF",
        "DELETE FROM acls WHERE id = 1",
        "INSERT INTO acls (id, entries) VALUES (99, '')",
        f"UPDATE folders SET acl = 99 WHERE id = {_SENT}",
    ),
    _case("acl-missing", f"UPDATE folders SET acl = 77 WHERE id = {_A}", says="Public Folders/A"),
    _case("acl-unused", "INSERT INTO acls (entries) VALUES ('bob l' || char(10))"),
    _case(
        "acl-stranger",
        "UPDATE acls SET entries = entries || 'zoe lr' || char(10) WHERE entries LIKE '%authenticated%'",
        says="'zoe'",
    ),
    _case("acl-form", "UPDATE acls SET entries = 'bob rl' || char(10) WHERE entries = 'bob lr' || char(10)"),
    # --- users and trees ---
    _case("user-name", f"UPDATE users SET name = 'b/b' WHERE id = {_BOB}", left="user-name"),
    _case("tree-missing", f"DELETE FROM trees WHERE owner = {_BOB}", says="'bob'"),
    _case("tree-missing", "DELETE FROM trees WHERE owner = 0", says="public folders"),
    _case("tree-orphan", "INSERT INTO trees (owner) VALUES (70)", says="number 70"),
    _case("root-missing", "DELETE FROM folders WHERE owner = 0 AND name = ''"),
    _case("inbox-missing", f"DELETE FROM folders WHERE owner = {_BOB} AND name = 'INBOX'", says="'bob'"),
    _case("inbox-missing", f"UPDATE folders SET selectable = 0 WHERE owner = {_BOB} AND name = 'INBOX'"),
    # --- folders ---
    _case("folder-owner", f"DELETE FROM users WHERE id = {_ANN}", says="folders of user number 1"),
    _case("folder-name", f"UPDATE folders SET name = 'a//b' WHERE id = {_A}", says="'a//b'"),
    _case("folder-name", f"UPDATE folders SET name = 'Public Folders/x' WHERE id = {_SENT}"),
    _case("folder-name", f"UPDATE folders SET name = x'ff' WHERE id = {_SENT}"),
    _case(
        "parent-missing", "DELETE FROM folders WHERE owner = 0 AND name = 'A/B'", says="Public Folders/A/B"
    ),
    _case(
        "node-empty",
        "INSERT INTO folders (owner, name, selectable, acl, shared_seen, uid_validity)"
        " VALUES (0, 'E', 0, 1, 0, 1)",
        says="Public Folders/E",
    ),
    _case("node-messages", f"UPDATE folders SET selectable = 0 WHERE id = {_A}", says="Public Folders/A"),
    _case("special-use", f"UPDATE folders SET special_use = '\\Odd' WHERE id = {_SENT}", says="Odd"),
    _case("uid-validity", f"UPDATE folders SET uid_validity = 0 WHERE id = {_A}"),
    _case("keywords", f"UPDATE folders SET keywords = 'work WORK' WHERE id = {_A}"),
    _case("keywords", f"UPDATE folders SET keywords = 'b(d' WHERE id = {_A}"),
    # --- messages ---
    _case("message-orphans", f"DELETE FROM folders WHERE id = {_SENT}", says="6 messages of folder number"),
    _case(
        "message-content content-refs",
        f"UPDATE messages SET content = 999 WHERE folder = {_SENT} AND uid = 1",
        says="UID 1 in folder 'Other Users/ann/Sent'",
        left="message-content",
    ),
    _case("message-size folder-counts", f"UPDATE messages SET size = 1 WHERE folder = {_SENT} AND uid = 2"),
    _case(
        "message-uid", f"UPDATE messages SET uid = 0 WHERE folder = {_SENT} AND uid = 2", says="no such UID"
    ),
    _case("message-flags", f"UPDATE messages SET flags = flags | 1 << 20 WHERE folder = {_SENT} AND uid = 2"),
    _case(
        "message-flags",
        f"UPDATE messages SET flags = flags | 1 WHERE folder = {_A} AND uid = 1",
        says="seen for all",
    ),
    _case(
        "message-date",
        f"UPDATE messages SET internal_date = -5, zone = 9999 WHERE folder = {_SENT} AND uid = 2",
    ),
    _case("message-date", f"UPDATE messages SET saved = 1 << 60 WHERE folder = {_SENT} AND uid = 2"),
    # --- contents ---
    _case(
        "content-headless", f"DELETE FROM contents WHERE id = {_LARGE}", says="in folder 'Public Folders/A'"
    ),
    _case(
        "content-headless",
        "INSERT INTO chunks (id, data) VALUES (500 << 20, CAST('Subject: lost' || char(10) AS BLOB))",
        says="content 500",
        more=1,
    ),
    _case(
        "content-headless",
        "INSERT INTO chunks (id, data) SELECT 500 << 20, data FROM chunks WHERE id = 1 << 20",
    ),
    _case(
        "content-refs", "UPDATE contents SET refs = 7 WHERE id = 1", says="it is of 3 messages, and says 7"
    ),
    _case("content-refs", "UPDATE contents SET refs = -1 WHERE id = 1"),
    _case(
        "content-lost",
        f"UPDATE folders SET uid_next = uid_next - 1, modseq = modseq WHERE id = {_A}",
        f"DELETE FROM messages WHERE folder = {_A} AND content = {_LARGE}",
        says="it is of no message",
    ),
    _case(
        "content-orphan", "INSERT INTO renditions (id, data) VALUES (500 << 4, x'00')", says="rendition of"
    ),
    _case(
        "content-orphan", "INSERT INTO renditions (id, data) VALUES ((1 << 4) + 15, x'00')", says="no kind 15"
    ),
    _case(
        "content-orphan", "INSERT INTO texts (id, header, body, parts) VALUES (500, '', '', '')", says="text"
    ),
    _case(
        "content-orphan",
        "INSERT INTO sortings SELECT 500, sent, subject, is_reply, sender, recipient,"
        " copied, message, refs FROM sortings WHERE id = 1",
        says="sorting",
    ),
    _case("content-made", "DELETE FROM texts WHERE id = 1"),
    _case("content-made", "DELETE FROM sortings WHERE id = 1"),
    _case("content-made", "DELETE FROM renditions WHERE id >> 4 = 1"),
    _case("content-made", "UPDATE contents SET rendered = 'old' WHERE id = 1"),
    _case("content-made", "UPDATE contents SET structure = x'ff' WHERE id = 1", says="structure"),
    _case("content-size message-size", "UPDATE contents SET size = size + 1 WHERE id = 1"),
    _case("content-size", f"UPDATE contents SET canonical = 1 WHERE id = {_LARGE}"),
    _case("content-hash", "UPDATE contents SET hash = x'00' WHERE id = 1", says="compare it with a backup"),
    _case(
        "content-bytes",
        f"DELETE FROM chunks WHERE id = ({_LARGE} << 20) + 1",
        says="131072 bytes of it are there, and there should be",
        left="content-bytes",
    ),
    _case(
        "content-bytes",
        f"DELETE FROM chunks WHERE id = {_LARGE} << 20",
        says="after byte 0",
        left="content-bytes",
    ),
    _case(
        "content-bytes", "DELETE FROM chunks WHERE id = 1 << 20", says="0 bytes of it", left="content-bytes"
    ),
    # --- counts and bounds ---
    _case(
        "folder-counts tree-counts",
        f"UPDATE folders SET messages = 3 WHERE id = {_A}",
        says="messages are 5, and it says 3",
    ),
    _case("folder-counts", f"UPDATE folders SET unseen = 9 WHERE id = {_SENT}", says="unseen are 6"),
    _case("folder-counts", f"UPDATE folders SET deleted = 9 WHERE id = {_SENT}", says="deleted are 0"),
    _case("folder-counts", f"UPDATE folders SET recent = 9 WHERE id = {_SENT}", says="recent are 6"),
    _case("folder-counts tree-counts", f"UPDATE folders SET size = 9 WHERE id = {_SENT}", says="bytes are"),
    _case("folder-bounds", f"UPDATE folders SET uid_next = 2 WHERE id = {_SENT}", says="UIDNEXT is 2"),
    _case("folder-bounds", f"UPDATE folders SET first_recent = 99 WHERE id = {_SENT}", says="UIDNEXT is 7"),
    _case(
        "folder-bounds", f"UPDATE folders SET modseq = 1, changed = 1 WHERE id = {_A}", says="mod-sequence"
    ),
    _case("folder-bounds", f"UPDATE folders SET changed = 1 WHERE id = {_SENT}"),
    _case(
        "tree-counts",
        "UPDATE trees SET folders = 50, messages = 1, size = 2 WHERE owner = 0",
        says="folders are 5, and it says 50",
    ),
    # --- expunged messages ---
    _case("tombstone-orphan", "INSERT INTO tombstones VALUES (900, 5, 1, 1)", says="number 900"),
    _case("tombstones", f"UPDATE tombstones SET low = 9 WHERE folder = {_A} AND low = 2", says="no sense"),
    _case("tombstones", f"INSERT INTO tombstones VALUES ({_A}, 3, 1, 1)", says="that are there"),
    _case("tombstones", f"DELETE FROM tombstones WHERE folder = {_A}", says="7 UIDs were given out"),
    # --- users' own flags ---
    _case("seen-orphan", "INSERT INTO seen VALUES (900, 1, 0, 0, 0, 0, 0, 64)", says="no such folder"),
    _case("seen-orphan", f"INSERT INTO seen_marks VALUES ({_A}, 70, 1, 1, 2)", says="no such user"),
    _case("seen-counts", f"UPDATE seen SET seen = 0 WHERE user = {_BOB}", says="user 'bob'"),
    _case("seen-counts", f"UPDATE seen SET marks = 0 WHERE user = {_BOB}", says="it says 0"),
    _case("seen-counts", f"UPDATE seen SET low = 90 WHERE user = {_BOB}", says="up to UID 90"),
    _case(
        "seen-counts folder-bounds", f"UPDATE seen SET last = 900 WHERE user = {_BOB}", says="mod-sequence"
    ),
    _case("seen-counts", f"DELETE FROM seen WHERE user = {_BOB}", says="marks and nothing else"),
    _case("seen-counts", f"INSERT INTO seen_marks VALUES ({_A}, {_BOB}, 2, 1, 2)", says="of no message"),
    _case("seen-counts", f"UPDATE seen_marks SET seen = 5 WHERE user = {_BOB}", says="make no sense"),
    # --- subscriptions and annotations ---
    _case("subscription-orphan", "INSERT INTO subscriptions (user, name) VALUES (70, 'x')", says="number 70"),
    _case(
        "subscription-name", f"INSERT INTO subscriptions (user, name) VALUES ({_BOB}, 'a//b')", says="a//b"
    ),
    _case(
        "annotation-orphan",
        "INSERT INTO metadata VALUES (900, 0, '/shared/comment', x'')",
        says="no such folder",
    ),
    _case(
        "annotation-orphan",
        f"INSERT INTO metadata VALUES ({_A}, 70, '/private/comment', x'')",
        says="no such user",
    ),
    _case("annotation-name", f"INSERT INTO metadata VALUES ({_A}, {_BOB}, '/shared/comment', x'')"),
    # --- addresses and rules ---
    _case("address-orphan", f"INSERT INTO addresses VALUES ('x@example.org', {_SENT})", says="x@example.org"),
    _case("expiry-rule", "INSERT INTO expiry VALUES (900, 1, 1, 1, 1)", says="no such folder"),
    _case("expiry-rule", f"INSERT INTO expiry VALUES ({_SENT}, 0, 1, 1, 1)", says="no sense"),
    _case("expiry-rule", f"INSERT INTO expiry VALUES ({_SENT}, 1, 1, 99, 1)", says="no sense"),
    # --- the search index ---
    _case("search-index", "DROP TABLE text_index", says="it is missing"),
    _case(
        "search-index",
        f"UPDATE meta SET value = '{textindex._FORMAT}.900.0.0' WHERE key = 'indexed'",
        says="content 900",
    ),
    _case("search-index", "INSERT INTO text_index (text_index) VALUES ('delete-all')", says="does not know"),
    _case("search-index", "UPDATE text_index_data SET block = x'00' WHERE id > 10"),
)


class KindsTests(CheckCase):
    """
    The cases above; what is kept of a store between them is made anew.
    """

    def _try(self, case: Case) -> None:
        """
        Damage, look, mend, look again.
        """
        before = self.mail()
        self.damage(*case.statements)
        damaged = self.all_()
        report = self.check()
        self.assertEqual(self.all_(), damaged, "a check changed something")
        told = "\n".join(f"{each.where}: {each.problem} {each.remedy}" for each in report.findings)
        self.assertLessEqual(set(case.kinds), set(report.found), f"{case}: {told}")
        self.assertIn(case.says, told)
        self.assertEqual(report.mended.total(), 0)
        mended = self.repair()
        left = {kind for kind in mended.found if mended.found[kind] > mended.mended[kind]}
        self.assertEqual(left, set(case.left), case)
        again = self.check()
        self.assertEqual(set(again.found), set(case.left), (case, again.findings))
        after = self.mail()
        if not case.left and "content-hash" not in case.kinds:
            self.assertEqual(before - after, type(before)(), case)
            self.assertEqual(after.total(), before.total() + case.more, case)
        # Whatever it was, the store can be used.
        store = self.open(self.path_)
        self.now(store.listUsers())
        self.now(store.close())

    def test_everyKind(self) -> None:
        """
        Each is named, nothing is changed by looking, mending mends it and loses no mail.
        """
        original = Path(self.path_).read_bytes()
        self.assertFalse(self.exists("-wal"))
        for case in _CASES:
            self.path_ = self.path()
            Path(self.path_).write_bytes(original)
            self._try(case)

    def test_allKindsAreTried(self) -> None:
        """
        No kind that a check can find is without a case here or a test elsewhere.
        """
        elsewhere = {"file-damaged", "index-damaged", "unreadable"}
        source = "".join(each.read_text() for each in Path(checking.__file__).parent.glob("*.py"))
        kinds = set(re.findall(r'Fault\(\s*"([a-z-]+)"', source))
        self.assertIn("folder-counts", kinds)
        tried = {kind for case in _CASES for kind in case.kinds}
        self.assertEqual(kinds - elsewhere - tried, set())
