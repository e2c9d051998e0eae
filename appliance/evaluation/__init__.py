"""Evaluation: how often the recognition is wrong, measured and with intervals.

It is handed embeddings, scores and thresholds, and gives rates, curves and reports. Opens no
picture and no database.
"""
