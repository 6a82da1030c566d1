"""What a server that begins says to whoever started it: where to sign in, and a link where nobody could yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shopkeeper.shop import Shop


def greeting(shop: Shop, base: str) -> list[str]:
    """Lines to print. Whoever reads them runs the server, and so owns the shop's folder."""
    if shop.first_run():
        link = shop.set_up_link()
        return ["Nobody can sign in yet. Make the first administrator here; the link works once, for an hour:",
                f"  {base}{link.path}"]  # fmt: skip
    users = [user for user in shop.users() if not user.disabled]
    if not any(user.password or user.provider for user in users):
        first = next((user for user in users if user.role == "administrator"), users[0])
        link = shop.user_link(first.id, "sign_in")
        return [f"Come in as {first.email}; the link works once, for an hour:", f"  {base}{link.path}"]
    return [f"Sign in at {base}/sign-in"]
