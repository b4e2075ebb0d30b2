"""
The parts of L{StoreTestsMixin<mailstore.testing.storetests.StoreTestsMixin>}, by what they test.
"""
