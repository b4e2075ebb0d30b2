"""
The way between a front end and a store: L{RemoteStore<mailstore.ipc.client.RemoteStore>}
at one end of a channel, L{StoreServer<mailstore.ipc.server.StoreServer>} at the other.

These sentences hold at every moment:

  - A request is admitted or refused before anything is promised: it waits its
    turn in one first-come-first-served line, for at most C{patience} seconds.
  - Every admitted request gets exactly one final answer, and keeps its place
    among the C{max_calls} of its channel until that has come, also when
    nobody waits for it any more.
  - A store sends at most C{window} batches that the front end has not
    consumed, and only one when clients that do not read hold C{max_ahead} of them.
    Who does not consume stops its own iterator and nothing else.
  - Both ends always take what arrives, whatever the state of their own
    outbound queue: so both queues always drain.
  - Answers leave in the order in which they were made; what changed is told
    before the answer to the request that changed it.
  - Nothing that arrives is trusted.  What breaks the protocol cuts the
    channel, is logged in one line, and costs nobody else anything.
"""
