"""
Tests of L{mailstore.engine.checking}.
"""
