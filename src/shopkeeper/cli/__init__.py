"""The door for the terminal: one command per verb of ``Shop``, one file per group of commands.

``app`` holds the commands together and turns errors into one line and an exit code, ``screen`` knows the terminal,
``steps`` shows progress, ``report`` and ``profile`` put a report and a customer into words and tables.
"""

from __future__ import annotations

import os

# Before NumPy is there, which reads it once: our matrices are a handful of parameters wide, and threads that are woken
# for each of them wait for each other (a fit took ten times the processor time on two busy cores). Set it to have more.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from shopkeeper.cli.app import app, main

__all__ = ["app", "main"]
