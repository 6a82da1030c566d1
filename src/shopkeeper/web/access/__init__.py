"""The lock on the HTTP door: every route declares the permission it needs, and nobody gets past it without.

``declared`` reads the declarations and refuses to start with a route that has none, ``admission`` is the middleware
that finds out who asks, ``cookies`` keeps sessions in browsers and forgeries out, ``present`` says to pages who looks.
"""
