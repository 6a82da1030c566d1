"""What is real and what is simulated, and how to read the figures."""

from __future__ import annotations

from typing import Any

from litestar import MediaType, Request, get

from shopkeeper.web.access.declared import OPT, SIGNED_IN
from shopkeeper.web.render import render


@get("/about", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False, opt={OPT: SIGNED_IN})
def about(request: Request[Any, Any, Any]) -> str:
    """The page."""
    return render(request.app, "about.html", here="about")
