"""
Internet messages: bytes in, values out.

  - Everything here takes any bytes at all: nothing raises on a broken
    message, and each broken thing has one defined reading, the one that shows
    a reader most of what was sent.
  - Work and memory are linear in the size of a message, whatever it holds;
    what can be many (parts, nesting, header fields, addresses) is bounded by
    a constant, and what is beyond the bound is served but not looked into.
  - Bytes are never altered: a part is a range of the message, so that
    sizes, line counts and sections are always of the bytes that are sent.
  - Nothing here waits, reads a file or knows of IMAP's syntax.
"""
