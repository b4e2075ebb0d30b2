"""
The commands, a module for each or for two of a kind: the grammar of the
arguments, what carries them out, and the rows in C{COMMANDS}.
"""
