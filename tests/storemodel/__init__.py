"""
The store against a model of a few hundred lines, in random sequences of requests.
"""
