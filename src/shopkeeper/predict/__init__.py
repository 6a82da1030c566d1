"""See what is likely: what a customer is worth (``value``) and when one begins to fade (``fading``)."""
