"""
The IMAP wire codec: bytes in, values out, and back; without a socket, a session or a store.

These sentences hold:

  - Framing comes before parsing.  L{Framer<mailstore.imap.wire.framer.Framer>} cuts the stream into commands
    without knowing one; only then a L{Reader<mailstore.imap.wire.reader.Reader>} looks at what a
    command says.  What it finds wrong there never moves the place where the next command begins.
  - Whatever the bytes, reading raises L{ParseError<mailstore.imap.wire.values.ParseError>} and
    nothing else, in time proportional to their number, and what comes out is bounded by
    L{FramerLimits<mailstore.imap.wire.framer.FramerLimits>} and
    L{ReaderLimits<mailstore.imap.wire.reader.ReaderLimits>}.
  - Every character class and production stands below its ABNF.
  - What L{writer<mailstore.imap.wire.writer>} writes is well formed for any client, whatever it is given.

To add a command's grammar, write one short module beside L{fetchitems<mailstore.imap.wire.fetchitems>}: a
function that takes a reader and gives a value of L{values<mailstore.imap.wire.values>}; and add cases to
C{tests/imap/wire/cases.py}, which drive all its tests.
"""
