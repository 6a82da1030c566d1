"""The pages, one file each; a page asks the shop and fills a template, nothing else."""

from __future__ import annotations

from typing import Any

from shopkeeper.web.pages import about, customer, customers, overview, quarantine

PAGES: tuple[Any, ...] = (
    overview.overview,
    customers.customers,
    customer.customer_page,
    customer.customer_timeline,
    quarantine.quarantine,
    about.about,
)
"""The handlers of all pages."""
