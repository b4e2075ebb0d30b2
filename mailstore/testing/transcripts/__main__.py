"""
C{python -m mailstore.testing.transcripts FILE...}: play scripts, each against a server of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from twisted.python.usage import Options, UsageError

from mailstore.config import ConfigError
from mailstore.errors import StoreError
from mailstore.testing.transcripts import NotOffered, Script, ScriptError, TranscriptFailed, run
from mailstore.topology import StartFailed


class TranscriptOptions(Options):
    """
    What scripts to play, and how.
    """

    synopsis = "Usage: python -m mailstore.testing.transcripts [--transport DESCRIPTION] FILE..."
    optParameters = [
        ["transport", "t", "memory:", "The channel between front end and store."],
    ]

    def parseArgs(self, *files: str) -> None:
        """
        @raise UsageError: there is no file.
        """
        if not files:
            raise UsageError("name at least one script")
        self.files = files


def main(arguments: Sequence[str]) -> int:
    """
    Play the scripts.

    @return: 0 if the server did what all of them say, 1 if not, 2 if nothing could be played.
    """
    options = TranscriptOptions()  # type: ignore[no-untyped-call]
    try:
        options.parseOptions(arguments)  # type: ignore[no-untyped-call]
        scripts = [Script.load(file) for file in options.files]
    except (UsageError, ScriptError) as error:
        print(f"mailstore.testing.transcripts: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"mailstore.testing.transcripts: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    failed = 0
    for script in scripts:
        try:
            run(script, options["transport"])
        except (TranscriptFailed, NotOffered, ScriptError) as error:
            failed += 1
            print(error)
        except (StoreError, StartFailed, ConfigError) as error:
            failed += 1
            print(f"{script.name}: {error}")
    print(f"{len(scripts)} played, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
