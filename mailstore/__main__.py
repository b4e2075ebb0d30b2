"""
C{python -m mailstore} is the C{mailstore} command.
"""

from mailstore.admin.main import console

console()
