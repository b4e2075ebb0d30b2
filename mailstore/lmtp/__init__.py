"""
Delivery: mail servers hand in messages by LMTP (RFC 2033).

  - It speaks only to L{IStore<mailstore.interfaces.IStore>}, as the IMAP front end does, and so
    works with every channel.
  - A 250 after the message leaves after the commit that holds the message.  Each
    recipient gets a reply of its own.
  - What the store did not say yes to is answered with 4xx or 5xx, and never tried again here: whether
    to, the mail server knows.  So a message is never delivered twice by this side.
  - Only CR LF ends a line and only CR LF "." CR LF a message.  A message with a CR or LF on its own is
    refused: nobody may read two messages where another reads one (SMTP smuggling).
  - The bytes of a long message are never all in memory: beyond C{max_inline} they go on to the store,
    and nothing is read from a client while that takes its time.
  - All that a client can make grow is bounded by L{mailstore.lmtp.limits}.

Why not C{twisted.mail.smtp.LMTP}: as of Twisted 26.10 it goes on to the next
pipelined command while the one before waits for its C{Deferred}, so that DATA is refused or
answered before its RCPTs; bounds neither recipients nor messages nor connections; gives a
message line by line to a consumer that cannot make it wait; announces neither SIZE, 8BITMIME,
PIPELINING nor ENHANCEDSTATUSCODES; and finds the handler of a command by C{getattr} with a word
from the wire.

::

    lines.py       bytes -> command lines, pieces of a message         sans-IO
    commands.py    command lines -> values                             sans-IO
    trace.py       the header fields that are added
    replies.py     store error -> reply, one table
    session.py     the transaction
    courier.py     what all sessions share
    protocol.py    the only module here that knows a reactor
"""
