"""Hosting DeepLens functions: their package, their view of the machine, their streams and models.

`guest` and `porting` run inside a function's view; everything else runs in the process that hosts it.
Knows no settings file, no database and no key. Nothing happens on import.
"""
