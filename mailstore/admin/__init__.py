"""
The C{mailstore} command, for the person who looks after a store.

It opens the store itself, as L{SYSTEM<mailstore.model.SYSTEM>}, also while a
server has it open.  Exit codes: 0 all was done; 1 something was not, and was
named; 2 the command line makes no sense (of C{check}: the store could not be
looked at); 130 interrupted (128 and the number of the signal).
"""
