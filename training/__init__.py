"""From sounds to a decoder, in the order of reading: corpora, prepare, train, evaluate, export, report.

A program of its own (``python -m training``); the daemon never imports it. Needs the extra ``train``.
"""
