"""
Groups of users, and who can be locked out.
"""

from __future__ import annotations

from typing import cast

from mailstore.errors import (
    GroupExists,
    InvalidName,
    NoSuchFolder,
    NoSuchGroup,
    NoSuchUser,
    PermissionDenied,
)
from mailstore.interfaces import IGroups
from mailstore.model import ALL_RIGHTS, SYSTEM, Criterion, RightsMode, SearchTerm, UidSet
from mailstore.testing.storecases.base import CREDENTIALS, StoreCase, mail

_ROOT = "Public Folders"


class GroupTests(StoreCase):
    """
    L{IGroups<mailstore.interfaces.IGroups>}, and rights of groups.
    """

    @property
    def groups(self) -> IGroups:
        """
        What makes groups.
        """
        return cast(IGroups, self.admin)

    async def _staff(self, *members: str) -> None:
        """
        Make the group C{staff}.
        """
        await self.groups.createGroup("staff")
        for each in members:
            self.assertTrue(await self.groups.addMember("staff", each))

    async def test_groupsMade(self) -> None:
        """
        Groups are made, told and removed.
        """
        await self._staff()
        await self.groups.createGroup("Élan")
        self.assertEqual(await self.groups.listGroups(), ("staff", "Élan"))
        await self.refused(GroupExists, self.groups.createGroup("staff"))
        await self.refused(GroupExists, self.groups.createGroup("E\u0301lan"))
        for name in ("", "anyone", "-x", "#x", "a b", "a/b", "x" * 65):
            await self.refused(InvalidName, self.groups.createGroup(name))
        self.assertEqual(await self.groups.removeGroup("E\u0301lan"), 0)
        self.assertEqual(await self.groups.listGroups(), ("staff",))
        await self.refused(NoSuchGroup, self.groups.removeGroup("Élan"))

    async def test_groupsMembers(self) -> None:
        """
        Users join and leave; doing it again changes nothing.
        """
        await self._staff("carol", "bob")
        self.assertFalse(await self.groups.addMember("staff", "bob"))
        self.assertEqual(await self.groups.groupMembers("staff"), ("bob", "carol"))
        self.assertEqual(await self.groups.groupsOf("bob"), ("staff",))
        self.assertTrue(await self.groups.removeMember("staff", "carol"))
        self.assertFalse(await self.groups.removeMember("staff", "carol"))
        self.assertEqual(await self.groups.groupMembers("staff"), ("bob",))
        self.assertEqual(await self.groups.groupsOf("carol"), ())
        for change in (self.groups.addMember, self.groups.removeMember):
            await self.refused(NoSuchGroup, change("none", "bob"))
            await self.refused(NoSuchUser, change("staff", "nobody"))
        await self.refused(NoSuchUser, self.groups.addMember("staff", SYSTEM))
        await self.refused(NoSuchGroup, self.groups.groupMembers("none"))
        await self.refused(NoSuchUser, self.groups.groupsOf("nobody"))

    async def test_groupsNoUsersName(self) -> None:
        """
        No user can have the identifier of a group.
        """
        for name in ("group:staff", "Group:x"):
            await self.refused(InvalidName, self.admin.createUser(name, CREDENTIALS))

    async def test_groupsRights(self) -> None:
        """
        What a group may do its members may, beside what they may themselves; and
        with a minus sign they may not.
        """
        await self._staff("bob", "carol")
        name = await self.public("P")
        self.assertEqual(await self.store.setRights("alice", name, "Group:staff", "wi"), 1)
        await self.store.setRights("alice", name, "carol", "t")
        self.assertEqual(
            await self.store.acl("alice", name),
            (("alice", ALL_RIGHTS), ("authenticated", "lrs"), ("carol", "t"), ("group:staff", "wi")),
        )
        self.assertEqual(await self.store.rights("bob", name), "lrswi")
        self.assertEqual(await self.store.rights("carol", name), "lrswit")
        await self.store.setRights("alice", name, "-group:staff", "sw")
        self.assertEqual(await self.store.rights("bob", name), "lri")
        for who in ("group:none", "group:", "-group:none"):
            await self.refused(NoSuchGroup, self.store.setRights("alice", name, who, "l"))

    async def test_groupsOthers(self) -> None:
        """
        A user shares a folder with a group, and its members see it.
        """
        await self._staff("bob")
        await self.store.createFolder("alice", "Plans")
        await self.store.setRights("alice", "Plans", "group:staff", "lr")
        self.assertIn("Other Users/alice/Plans", await self.names("bob"))
        self.assertNotIn("Other Users/alice/Plans", await self.names("carol"))
        await self.groups.addMember("staff", "carol")
        self.assertIn("Other Users/alice/Plans", await self.names("carol"))
        # The owner has all rights, whatever his groups may not do.
        await self.groups.addMember("staff", "alice")
        await self.store.setRights("alice", "Plans", "-group:staff", "l")
        self.assertEqual(await self.store.rights("alice", "Plans"), ALL_RIGHTS)
        await self.refused(PermissionDenied, self.store.setRights("alice", "Plans", "-alice", "l"))

    async def test_groupsAtOnce(self) -> None:
        """
        Joining and leaving takes effect in the next request: in lists of folders, their
        versions, and folders that are open.
        """
        await self._staff("bob")
        name = await self.public("Staff")
        await self.append("alice", name, mail())
        await self.store.setRights("alice", name, "authenticated", "")
        await self.store.setRights("alice", name, "group:staff", "lr")
        opened = await self.opened("bob", name)
        before, carols = await self.store.trees("bob"), await self.store.trees("carol")
        self.assertIn(name, await self.names("bob"))
        self.assertNotIn(name, await self.names("carol"))
        self.assertNotEqual(before[2], carols[2])
        await self.groups.addMember("staff", "carol")
        # Who sees the same has the same version, and so shares the list.
        self.assertEqual((await self.store.trees("carol"))[2], before[2])
        self.assertIn(name, await self.names("carol"))
        await self.groups.removeMember("staff", "bob")
        self.assertEqual((await self.store.trees("bob"))[2], carols[2])
        self.assertNotIn(name, await self.names("bob"))
        await self.refusedAnswer(NoSuchFolder, self.store.changes("bob", opened.folder, 0, False))
        await self.refusedAnswer(
            NoSuchFolder, self.store.search("bob", opened.folder, SearchTerm(Criterion.ALL))
        )
        await self.refused(NoSuchFolder, self.store.copy("bob", opened.folder, UidSet(((1, 1),)), "INBOX"))

    async def test_groupsRemoved(self) -> None:
        """
        With a group goes what rights say of it: a new one of its name inherits nothing.
        """
        await self._staff("bob")
        await self.groups.createGroup("staff2")
        one, two = await self.public("One"), await self.public("Two")
        await self.store.setRights("alice", one, "group:staff", "w")
        await self.store.setRights("alice", one, "group:staff2", "t")
        await self.store.setRights("alice", two, "-group:staff", "s")
        await self.store.setRights("alice", "INBOX", "group:staff", "lr")
        version = (await self.store.trees("bob"))[1]
        self.assertEqual(await self.groups.removeGroup("staff"), 3)
        await self._staff("bob")
        self.assertEqual(
            await self.store.acl("alice", one),
            (("alice", ALL_RIGHTS), ("authenticated", "lrs"), ("group:staff2", "t")),
        )
        self.assertEqual(await self.store.rights("bob", one), "lrs")
        self.assertEqual(await self.store.rights("bob", two), "lrs")
        self.assertEqual(await self.store.acl("alice", "INBOX"), (("alice", ALL_RIGHTS),))
        self.assertNotEqual((await self.store.trees("bob"))[1], version)

    async def test_groupsGrantable(self) -> None:
        """
        What can be given is told of who can be given something, and only of these.
        """
        await self._staff()
        name = await self.public("P")
        for who in ("bob", "-bob", "anyone", "authenticated", "group:staff", "-group:staff", "alice"):
            self.assertEqual(await self.store.grantable("alice", name, who), ("", ALL_RIGHTS))
        self.assertEqual(await self.store.grantable("alice", "INBOX", "alice"), (ALL_RIGHTS, ""))
        self.assertEqual(await self.store.grantable("alice", "INBOX", "-alice"), ("", ""))
        self.assertEqual(await self.store.grantable("alice", "INBOX", "bob"), ("", ALL_RIGHTS))
        await self.refused(NoSuchUser, self.store.grantable("alice", name, "nobody"))
        await self.refused(NoSuchGroup, self.store.grantable("alice", name, "group:none"))
        await self.refused(PermissionDenied, self.store.grantable("bob", name, "bob"))
        await self.refused(NoSuchFolder, self.store.grantable("alice", "none", "bob"))


class LockoutTests(StoreCase):
    """
    Somebody can always change the rights on public folders.
    """

    async def test_lockoutRoot(self) -> None:
        """
        The last administrator of the public tree stays one, however he would go about it.
        """
        await self.public("P")
        before = await self.store.acl("alice", _ROOT)
        for who, letters, mode in (
            ("alice", "", RightsMode.REPLACE),
            ("alice", "lrswi", RightsMode.REPLACE),
            ("alice", "a", RightsMode.REMOVE),
            ("-alice", "a", RightsMode.REPLACE),
            ("-authenticated", "a", RightsMode.ADD),
            ("-anyone", ALL_RIGHTS, RightsMode.REPLACE),
        ):
            said = await self.refused(
                PermissionDenied, self.store.setRights("alice", _ROOT, who, letters, mode)
            )
            self.assertIn("nobody could change the rights", said)
            self.assertEqual(await self.store.acl("alice", _ROOT), before)
        await self.store.setRights("alice", _ROOT, "bob", "lra")
        await self.store.setRights("alice", _ROOT, "alice", "lr")
        await self.refused(PermissionDenied, self.store.setRights("bob", _ROOT, "bob", "lr"))
        # What the store's own machine does nobody is locked out by.
        await self.admin.setRights(SYSTEM, _ROOT, "bob", "")

    async def test_lockoutFolder(self) -> None:
        """
        A folder can lose its last administrator as long as there is one of the tree, who can
        give rights on all its folders.
        """
        name = await self.public("P")
        await self.store.setRights("alice", name, "bob", "lra")
        await self.store.setRights("bob", name, "alice", "")
        await self.store.setRights("bob", name, "bob", "lr")
        self.assertEqual(await self.store.rights("alice", name), "lrs")
        await self.store.setRights("alice", _ROOT, "alice", "a", RightsMode.ADD)
        self.assertEqual(await self.store.rights("alice", name), "lrsa")
        await self.store.setRights("alice", name, "bob", "lra")
        await self.store.setRights("alice", name, "alice", "")
        await self.admin.setRights(SYSTEM, _ROOT, "alice", "l")
        await self.admin.setRights(SYSTEM, name, "alice", "")
        await self.refused(PermissionDenied, self.store.setRights("bob", name, "bob", "lr"))

    async def test_lockoutGroup(self) -> None:
        """
        A group counts by its members, and everybody by who is not excepted.
        """
        groups = cast(IGroups, self.admin)
        await groups.createGroup("chiefs")
        await self.store.setRights("alice", _ROOT, "group:chiefs", "lra")
        await self.refused(PermissionDenied, self.store.setRights("alice", _ROOT, "alice", "lr"))
        await groups.addMember("chiefs", "alice")
        await self.store.setRights("alice", _ROOT, "alice", "lr")
        await self.refused(PermissionDenied, self.store.setRights("alice", _ROOT, "-group:chiefs", "a"))
        await self.store.setRights("alice", _ROOT, "authenticated", "lra")
        await self.store.setRights("alice", _ROOT, "-group:chiefs", "a")
        await self.refused(PermissionDenied, self.store.setRights("bob", _ROOT, "-authenticated", "a"))
        await self.store.setRights("bob", _ROOT, "-carol", "a")
        await self.refused(PermissionDenied, self.store.setRights("bob", _ROOT, "-bob", "a"))
