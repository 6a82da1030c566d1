"""The door for the terminal: one command per verb of ``Shop``, one file per group of commands.

``app`` holds the commands together and turns errors into one line and an exit code, ``screen`` knows the terminal,
``steps`` shows progress, ``report`` and ``profile`` put a report and a customer into words and tables.
"""

from __future__ import annotations

from shopkeeper.cli.app import app, main

__all__ = ["app", "main"]
