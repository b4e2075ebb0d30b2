"""
The store's process, and the front end's, killed with C{kill -9} at random instants while clients work.

L{worker<tests.crash.worker>} are IMAP clients that each keep a
L{ledger<tests.crash.ledger>} of what must be there.  L{stage<tests.crash.stage>} runs a
server, lets them work, kills, lets the server come back, and then
L{reads<tests.crash.reading>} everything and holds it against the ledgers.

In full: C{python -m tests.crash --kills 500}.
"""
