"""The command line: one module per sub-command, loaded when it's called.

``cli`` holds the group, the exit codes and how errors are shown; ``console`` what all commands print with; ``account``
the tables about recordings and tracks that several of them show. Sub-commands import numpy, numba, pyarrow and rich
inside their functions only, so that ``--help`` answers at once.
"""
