"""Composition roots, one per process: settings in, introduced rooms out.

The only place that knows every room. Nothing below imports it, and the web never does.
"""
