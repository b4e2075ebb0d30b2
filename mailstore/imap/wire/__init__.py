"""
The IMAP wire codec: bytes in, values out, and back; without a socket, a session or a store.

These sentences hold:

  - Framing comes before parsing.  L{Framer<mailstore.imap.wire.framer.Framer>} cuts the stream into commands
    without knowing one; only then a L{Reader<mailstore.imap.wire.reader.Reader>} looks at what a
    command says.  What it finds wrong there never moves the place where the next command begins.
  - Whatever the bytes, reading raises L{ParseError<mailstore.imap.wire.values.ParseError>} and
    nothing else, in time proportional to their number, and what comes out is bounded by
    L{FramerLimits<mailstore.imap.wire.framer.FramerLimits>} and
    L{ReaderLimits<mailstore.imap.wire.cursor.ReaderLimits>}.
  - What is beyond RFC 3501 is read only where an
    L{Extension<mailstore.imap.wire.extensions.Extension>} was switched on; elsewhere its words are unknown.
  - A client that has enabled IMAP4rev2 is read as before, but its strings are UTF-8: what RFC 9051 has
    dropped (C{RECENT}, C{RFC822} and so on) is still understood, and told only to
    those who ask for it (RFC 9051 appendix A).
  - Every character class and production stands below its ABNF.
  - What L{writer<mailstore.imap.wire.writer>} writes is well formed for any client, whatever it is given.

A family of commands is one module: the values, what reads them from a client, and what
writes the responses (L{acl<mailstore.imap.wire.acl>} is a short one).  Where several families need a
value it is in L{values<mailstore.imap.wire.values>}.  To add one, write such a module, and add cases to
C{tests/imap/wire/extensioncases.py} and C{responsecases.py}, which drive all its tests and
give the fuzzers in C{tests/fuzz} their examples.
"""
