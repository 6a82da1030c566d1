"""What is foretold of everybody at a refresh, a file for each part of it, and what is kept of it."""

from __future__ import annotations

from shopkeeper.shop.predicting.foretold import Foretold
from shopkeeper.shop.predicting.refreshing import predict

__all__ = ["Foretold", "predict"]
