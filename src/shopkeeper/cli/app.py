"""The commands together, and what becomes of an error: one line, a hint, an exit code.

Exit codes: 0 done, 1 it failed, 2 what was given cannot be used, 130 stopped by the keyboard.
"""

from __future__ import annotations

import errno
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from shopkeeper.cli import (
    access,
    advocates,
    bring,
    customers,
    features,
    identity,
    keep,
    refused,
    run,
    segments,
    source,
    worth,
)
from shopkeeper.cli.screen import screen, text
from shopkeeper.domain.errors import InvalidInput, ShopkeeperError


class Door(TyperGroup):
    """The group of all commands: it turns errors into words unless --debug asks to see where they come from."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except (ShopkeeperError, OSError) as error:
            if ctx.params.get("debug") or getattr(error, "errno", None) == errno.EPIPE:
                raise  # typer ends quietly when the reader of a pipe went away
            raise typer.Exit(complain(error)) from None
        except KeyboardInterrupt as stopped:
            what = f": {stopped}" if stopped.args else ""
            console = screen(errors=True)
            console.print()
            console.print(text(f"stopped{what}"))
            raise typer.Exit(130) from None
        except Exception as error:
            # typer's own exceptions (Exit, Abort, usage) pass through; anything else is a fault of ours
            if ctx.params.get("debug") or type(error).__module__.startswith(("typer", "click")):
                raise
            console = screen(errors=True)
            console.print(text(f"error: an unexpected {type(error).__name__}", "bold red"))
            console.print(
                "  this is a fault of Shopkeeper; 'shopkeeper --debug ...' shows where, please report it"
            )
            raise typer.Exit(1) from None


def complain(error: ShopkeeperError | OSError) -> int:
    """Print an error and what to do about it; returns the exit code."""
    console = screen(errors=True)
    if isinstance(error, ShopkeeperError):
        message, hint = error.message, error.hint
        if error.retry and not hint:
            hint = "trying again later helps"
    else:
        message, hint = f"{error.filename or 'the system'}: {error.strerror or type(error).__name__}", ""
    console.print(text(f"error: {message}", "bold red"))
    if hint:
        console.print(text(f"  {hint}"))
    return 2 if isinstance(error, InvalidInput) else 1


def _version(asked: bool) -> None:  # noqa: FBT001, typer calls it so
    if asked:
        from importlib.metadata import version

        typer.echo(f"shopkeeper {version('shopkeeper')}")
        raise typer.Exit


app = typer.Typer(
    name="shopkeeper",
    cls=Door,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Know every customer, in every channel, as one person over time.",
)


@app.callback()
def _everything(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Know every customer, in every channel, as one person over time."""


for _group in (
    bring,
    refused,
    run,
    customers,
    segments,
    features,
    worth,
    advocates,
    identity,
    keep,
    source,
    access,
):
    _group.register(app)


def main() -> None:
    """The console script."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")  # a terminal that cannot show a bar shows '?', not a traceback
    app()
