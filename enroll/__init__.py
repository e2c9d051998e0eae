"""Enrolment: an act with consent. Pictures in, references out, or a reason why not.

Never enrols anybody by itself, and never decodes a picture itself: that is done by
whoever is handed in as `Embeds`, in the appliance the models process.
"""
