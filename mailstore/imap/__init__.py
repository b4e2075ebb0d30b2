"""
The IMAP front end: it parses, renders and owns the sessions, and keeps no mail.

  - It reaches the store through L{mailstore.interfaces.IStore} only, and checks
    nothing on its behalf: rights are the store's business.
  - Only L{mailstore.imap.protocol} knows a reactor.  Everything else is C{async def} and waits
    through the interfaces of L{mailstore.imap.waiting}.
  - A session runs one command at a time, to its tagged reply: exactly one for
    each command, whatever happens, unless the connection ends with a BYE.
  - What is not yet parsed waits in the framer, up to C{ImapLimits.max_buffered}; beyond
    that the socket is not read.
  - Nothing is written while the client has yet to read what was written before, and
    nothing is asked of the store meanwhile.
  - Of changes in an open folder a client hears in one way
    (L{mailstore.imap.following}), between its commands or in IDLE.  Sequence
    numbers change only when it is told so.
  - Folder lists are shared by all sessions (L{mailstore.imap.folderlist}).
  - A command is a row (L{mailstore.imap.command}); adding one is adding a module to
    L{mailstore.imap.registry}.
  - Clients see the errors of the store through one table
    (L{mailstore.imap.refusals}), and of other exceptions nothing at all.
"""
