"""The weights of the networks: named in a manifest, checked byte by byte, converted at set-up.

This room downloads, verifies and converts. It does not run a network and does not know what
a face is; `appliance.faces` is handed the paths. Import from its modules: whoever only needs
`folder` does not load the converters and what they stand on.
"""
