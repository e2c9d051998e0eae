"""What runs beside a function, inside its view: the modules a DeepLens device had, and what starts it.

Imports nothing else of the appliance. The hosting side uses its `channel` and `messages`, by which both talk,
and of `artifact_names` and `descriptors` what models are called; nothing else.
"""
