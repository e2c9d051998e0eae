"""The office door appliance: sees the door open, recognises who comes in, seals strangers.

`appliance/ARCHITECTURE.md` is the map of the house; `appliance/GLOSSARY.md` its words.
Nothing happens on import.
"""
