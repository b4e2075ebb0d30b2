"""
What every store must do: a test case for a new L{IStore<mailstore.interfaces.IStore>},
or a new way to reach one.

A store is tested by a class of a few lines::

    class MyStoreTests(StoreTestsMixin, TestCase):
        async def makeStore(self):
            engine = mailstore.engine.open(
                "sqlite::memory:",
                limits=self.limits,
                renditions=self.renditions,
                renditions_version=self.renditions_version,
            )
            return reachedByMyWay(engine), engine
"""

from __future__ import annotations

from mailstore.testing.storecases.appending import AppendTests, UploadTests
from mailstore.testing.storecases.base import (
    CREDENTIALS,
    LIMITS,
    RENDITIONS,
    RENDITIONS_VERSION,
    Recorder,
)
from mailstore.testing.storecases.changing import CopyTests, ExpungeTests, FlagTests, OwnSeenTests
from mailstore.testing.storecases.decoding import BinaryTests
from mailstore.testing.storecases.delivering import AddressTests, DeliveryTests
from mailstore.testing.storecases.expiring import ExpiryTests
from mailstore.testing.storecases.fetching import FetchTests, SectionTests
from mailstore.testing.storecases.groups import GroupTests, LockoutTests
from mailstore.testing.storecases.hierarchy import (
    CreateTests,
    DeleteTests,
    ListingTests,
    RenameTests,
    StatusTests,
    SubscriptionTests,
)
from mailstore.testing.storecases.identities import IdentityTests, SaveDateTests, StatusesTests
from mailstore.testing.storecases.matrix import MatrixSampleTests
from mailstore.testing.storecases.opening import ChangesTests, ObserverTests, OpenTests
from mailstore.testing.storecases.ordering import SortTests, ThreadTests
from mailstore.testing.storecases.quotas import MetadataTests, QuotaTests
from mailstore.testing.storecases.replacing import ReplaceTests
from mailstore.testing.storecases.rights import AclTests, RightsMatrixTests
from mailstore.testing.storecases.searching import CloseTests, SearchTests
from mailstore.testing.storecases.users import UserTests

__all__ = (
    "CREDENTIALS",
    "LIMITS",
    "RENDITIONS",
    "RENDITIONS_VERSION",
    "Recorder",
    "StoreTestsMixin",
)


class StoreTestsMixin(
    UserTests,
    ListingTests,
    CreateTests,
    DeleteTests,
    RenameTests,
    SubscriptionTests,
    StatusTests,
    AclTests,
    ReplaceTests,
    RightsMatrixTests,
    GroupTests,
    LockoutTests,
    MatrixSampleTests,
    OpenTests,
    ChangesTests,
    ObserverTests,
    AppendTests,
    UploadTests,
    FetchTests,
    SectionTests,
    FlagTests,
    CopyTests,
    ExpungeTests,
    OwnSeenTests,
    SearchTests,
    StatusesTests,
    IdentityTests,
    SaveDateTests,
    BinaryTests,
    SortTests,
    ThreadTests,
    QuotaTests,
    MetadataTests,
    ExpiryTests,
    AddressTests,
    DeliveryTests,
    CloseTests,
):
    """
    Tests of a store.  Mix in before L{twisted.trial.unittest.TestCase}, and say
    in C{makeStore} how to make one.
    """
