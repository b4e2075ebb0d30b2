r"""
Conversations with an IMAP server, written down as what the client sends (C{C:}) and what the
server must answer (C{S:}), and played against a real one.

::

    Title: one client's expunge is told to another
    Covers: UID EXPUNGE, UIDPLUS
    RFC: 4315 2.1
    Require: UIDPLUS
    Administrator: alice
    Folder: Public Folders/News
    Messages: 2 Public Folders/News
    Session: A alice in Public Folders/News
    Session: B bob in Public Folders/News

    B C: b1 IDLE
    B S: + ...
    A C: a1 STORE 1 +FLAGS.SILENT (\Deleted)
    A S: a1 OK ...
    B S: * 1 FETCH (UID 1 FLAGS (\Deleted))
    A C: a2 UID EXPUNGE 1
    A S: * 1 EXPUNGE
    A S: * 1 RECENT
    A S: a2 OK ...
    B S: * 1 EXPUNGE
    B C: DONE
    B S: b1 OK ...

Play it against a server of its own, from any test::

    from mailstore.testing.transcripts import Script, run

    run(Script.load("expunge.txt"))                       # or Script.parse(text)
    run(Script.load("expunge.txt"), "unix:/tmp/socket")   # over another transport

in a program with a reactor by L{runIn}, or against any IMAP server with L{play}.  From a shell:
C{python -m mailstore.testing.transcripts FILE...}.

B{What fails.}  Whatever the server sends and the script does not expect, an answer that differs, one that
does not come in time, a connection closed without being asked to.  L{TranscriptFailed} (an
C{AssertionError}) names file, line and session, what was expected, what came, and what was said before.  At
the end each session that is still open is logged out, which finds what the server said too much.
L{ScriptError} is a script that makes no sense, L{NotOffered} a server without a capability that it
requires.

B{The header} goes up to the first line of the conversation:

  - C{Title}, C{RFC}: for the reader.  C{Covers}: what it is a test of, separated by commas
    (L{Script.covers}).
  - C{Require}: capabilities, without which L{NotOffered} comes.
  - C{Session: [NAME] USER [in FOLDER]}: a connection that is signed in as the user, with the folder
    selected, before the conversation begins.  A session that only occurs in the conversation is connected
    there, and not signed in.
  - What L{serverFor} and L{prepare} make: C{User: NAME [PASSWORD]} (by default C{secret}; users of sessions
    are there without saying), C{Administrator: NAME}, C{Folder: PATH}, C{Rights: LETTERS IDENTIFIER PATH},
    C{Messages: COUNT PATH} (short ones, with the subjects C{message 1} and so on), C{Message: [(FLAGS)]
    PATH} with its lines below it as C{| line}, C{Limit: imap.max_line = 2000} (a setting of
    C{[limits.imap]}, C{[limits.store]} or C{[limits.ipc]}), C{Setting: imap.literals = "minus"} (any other
    of the config file), C{TLS: yes} (STARTTLS with a certificate made
    on the spot), C{Token: TOKEN USER} (with which the user can sign in by OAUTHBEARER and XOAUTH2).
    Names of folders are whole: C{Other Users/alice/INBOX}.

B{The conversation.}  Lines that are empty or begin with C{#} mean nothing.  A name before C{C} or C{S} is
that of the session.

  - C{C: text} is sent with CRLF.  Lines of a session that follow each other without an C{S} line between go
    out in one write: that is how to pipeline.
  - C{S: text} must be the session's next response, byte for byte but for the variables below. The first
    C{S:} of a session before any C{C:} is its greeting, which is otherwise taken by itself.
  - C{S~ text}: such lines behind each other may come in any order.
  - C{S? text}: may come or not; an C{S:} must follow.
  - A literal is C{{#}} (or C{{#+}}, C{~{#}}) at the end of a line; its size is counted.  Its bytes stand in
    C{C| data} or C{S| data} lines, joined with CRLF: what ends in CRLF ends in an empty line.  C{C> text}
    and C{S> text} is what follows the literal; without it, nothing does.  Before the data of a C{{#}} the
    server is to be heard: C{S: + ...}. C{{*}} in an C{S:} line is a literal with any content.
  - C{C: ${close}} hangs up; C{S: ${closed}} waits until the server has.  C{C: ${tls}} does the client's
    part of TLS, C{C: ${deflate}} that of COMPRESS, C{C: ${inflate}} its end; between
    C{C: ${deaf}} and C{C: ${hear}} the client reads nothing.

B{Variables.}

  - C{...} at the end of an C{S:} line: any text.
  - C{${number}}, C{${word}}, C{${date}} (of INTERNALDATE, without its quotes), C{${text}}, C{${/regular
    expression/}}: any such.
  - C{${name=number}} and the like: the same, kept under that name; C{${name=number>other}} must be greater
    than what was kept.
  - C{${name}}: what was kept, for both sides.
  - C{${proof FIRST PASSWORD challenge}}, C{${answer FIRST PASSWORD challenge}}: what a client that knows
    the password says last in SCRAM-SHA-256, and what the server must answer, both in base64; C{FIRST} is the
    client's first message in base64, and the server's challenge is what was kept under the name, as in
    C{S: + ${challenge=word}}.  If the first message asks for channel binding by C{tls-exporter},
    it is that of the connection.
  - C{${hex 00ff}}: these bytes.  C{${repeat 1000 text}}: the text so many times.
"""

from mailstore.testing.transcripts.hosting import prepare, run, runIn, serverFor
from mailstore.testing.transcripts.playing import NotOffered, TranscriptFailed, play
from mailstore.testing.transcripts.script import Script, ScriptError

__all__ = [
    "NotOffered",
    "Script",
    "ScriptError",
    "TranscriptFailed",
    "play",
    "prepare",
    "run",
    "runIn",
    "serverFor",
]
