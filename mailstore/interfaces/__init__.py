"""
What a mail store is, to everybody who uses one.

L{IStore} has two implementations, the engine (L{mailstore.engine}) and
L{RemoteStore<mailstore.ipc.client.RemoteStore>}, which reaches an engine through
a channel; L{StoreTestsMixin<mailstore.testing.storetests.StoreTestsMixin>} holds
both to the sentences below.

  - The store is the trust boundary: it checks the rights of C{user} in every
    request, whatever its caller has checked before.
  - A change is durable when its result arrives.  An error means that nothing
    was changed, but for changes of very many messages where that is said, and except
    L{StoreUnavailable<mailstore.errors.StoreUnavailable>}, after which it is unknown.
  - Long answers come in batches, as asynchronous iterators.  The next batch is
    made when it is asked for; who does not ask, pays nothing and holds up
    nobody.  C{aclose()} gives up the rest and is always to be called when an
    iteration is left early.
  - Every method can raise L{StoreBusy<mailstore.errors.StoreBusy>},
    L{DeadlineExpired<mailstore.errors.DeadlineExpired>},
    L{StoreUnavailable<mailstore.errors.StoreUnavailable>} and
    L{StoreFault<mailstore.errors.StoreFault>}.  What else it can raise is said
    with it, and nothing else ever comes.  An asynchronous iterator raises
    when it is iterated, not when it is made.
  - Where a folder is named by text, it is the name as C{user} sees it:
    C{"INBOX"}, C{"Sent/2026"}, C{"Public Folders/Sales"},
    C{"Other Users/bob/Drafts"}.  Where it is a number, it is
    L{OpenFolder.folder<mailstore.model.OpenFolder>}.
"""

from __future__ import annotations

from mailstore.interfaces.authentication import IAuthenticator, IMechanisms
from mailstore.interfaces.delivery import IDelivery, IExpiry
from mailstore.interfaces.hierarchy import IHierarchy
from mailstore.interfaces.maintenance import IMaintenance
from mailstore.interfaces.messages import IMessages, IUpload
from mailstore.interfaces.store import ILocalStore, IStore, IStoreObserver
from mailstore.interfaces.users import IGroups, IUsers

__all__ = [
    "IAuthenticator",
    "IDelivery",
    "IExpiry",
    "IGroups",
    "IHierarchy",
    "ILocalStore",
    "IMaintenance",
    "IMechanisms",
    "IMessages",
    "IStore",
    "IStoreObserver",
    "IUpload",
    "IUsers",
]
