"""
What is asked of a store, each request with its rights, in front of the modules that do
the work: one module per kind of request, which L{Store<mailstore.engine.store.Store>} has all of.
"""
