"""The file door: exports of tills, web shops and mailing tools, read as they come.

``sniff`` says what a file is, ``reader`` gives its rows, ``columns`` and ``kinds`` say what they mean, ``convert``
makes typed values of text, ``orders``, ``people``, ``records`` and ``calls`` make events and records of those, and
``door`` puts it together.
"""
