"""Bytes and addresses: what arrives over OSC, and what it does to the numbers that the engine plays. Knows no NumPy.

``osc`` packets to messages · ``patterns`` wildcards · ``addresses`` the table of all there is · ``values``, ``places`` and
``actions`` what each does ·
``part`` one running patch · ``instrument`` all of it, without I/O · ``server`` the socket.
"""
