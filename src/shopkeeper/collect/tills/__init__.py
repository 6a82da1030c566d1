"""Tills: ARTS/IXRetail POSLog XML, from a request or a file.

``pieces`` reads hostile XML piece by piece with bounded memory, ``header`` says which transaction it is and when it
was, ``lines`` what was sold and given back, ``people`` who it was, ``transaction`` makes events of it, and ``poslog``
reads deliveries and files.
"""
