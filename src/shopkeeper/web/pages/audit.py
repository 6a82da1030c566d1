"""The audit log: who saw and did what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from litestar import MediaType, Request, get
from litestar.params import QueryParameter

from shopkeeper.domain.actor import Permission
from shopkeeper.web.access.declared import OPT
from shopkeeper.web.render import render

if TYPE_CHECKING:
    from shopkeeper.shop import Shop

_PAGE = 100
Named = Annotated[str, QueryParameter(max_length=60)]
VERBS = (
    "look up a customer", "look up customers", "see a timeline", "see the report", "export a person", "erase a person",
    "bring in files", "sign in", "sign out", "choose a password", "change a password", "add a user", "change a role",
    "disable a user", "enable a user", "add an API key", "revoke an API key",
)  # fmt: skip
"""What the list offers to narrow by; the log knows more."""


@get("/settings/audit", media_type=MediaType.HTML, sync_to_thread=True, include_in_schema=False,
     opt={OPT: Permission.AUDIT})  # fmt: skip
def audit(
    request: Request[Any, Any, Any],
    shop: Shop,
    subject: Named = "",
    actor: Named = "",
    verb: Named = "",
    before: Annotated[int, QueryParameter(ge=0, le=2**62)] = 0,
) -> str:
    """The page."""
    wanted = {"subject": subject.strip(), "actor": actor.strip(), "verb": verb}
    lines = shop.audit(**wanted, before=before, limit=_PAGE)
    more = lines[-1].number if len(lines) == _PAGE else 0
    return render(
        request.app, "access/audit.html", here="audit", lines=lines, more=more, verbs=VERBS, **wanted
    )
