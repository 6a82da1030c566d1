"""The HTTP door: an API under ``/api/v1`` and server-rendered pages, both thin views of a ``Shop``'s verbs.

``web.app`` builds and serves the application, ``web.api`` holds the API, ``web.pages`` one file per page,
``web.guard`` the checks and headers every answer gets, ``web.status`` the table from errors to HTTP status.
"""
