"""
Fuzzers: bytes that were made to hurt, and what must hold whatever they are.

Inputs are made from examples (the cases of the grammar's tests, real mail) by seeded
mutation: the same seed and number make the same input on every machine, so a failure is
reproduced by its number alone.

  - C{python -m tests.fuzz --inputs 1000000} runs them all for long,
  - C{python -m tests.fuzz --target framer --seed 7 --only 4711} runs one input again,
  - L{tests.fuzz.test_fuzz} runs a few thousand inputs with the other tests.

A new target is a class like those in C{tests/fuzz/*target.py}, and a row in L{tests.fuzz.targets}.
"""
