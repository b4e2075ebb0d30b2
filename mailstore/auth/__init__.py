"""
Who may sign in, and as whom.

  - A password is never kept and never logged: the store holds the keys of
    SCRAM-SHA-256 made from it (L{mailstore.auth.keys}).
  - Checking a password is slow by design, so it is done in a thread.
  - A name that does not exist costs the same time as a wrong password, and
    gets the same answer.
  - L{twisted.cred.portal.Portal} decides; a site that wants other ways to know
    its users adds checkers (L{mailstore.auth.checkers}).
  - Who signs in by SCRAM-SHA-256 (L{mailstore.auth.scram}) never sends the password.
"""
