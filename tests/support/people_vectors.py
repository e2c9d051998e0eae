"""Faces without pictures: templates of every enrolled model, as alike as an angle says, and noisy crowds."""

from collections.abc import Sequence

import numpy as np

from appliance.app.embedding import ENROLLED_MODELS
from appliance.values import SFACE, FaceTemplate, FloatArray, Templates


def looks(degrees: float) -> Templates:
    """A face in this direction: 0 and 0 are one picture, 60 apart one person, 120 apart two.

    The fused score of two faces d degrees apart is cos d - 0.5 sin(d / 2): 1.0, 0.25 and -0.93.
    """
    angle = np.radians(degrees)
    vector = np.zeros(128, np.float32)
    vector[:2] = np.cos(angle), np.sin(angle)
    return of_vector(vector)


def of_vector(vector: FloatArray) -> Templates:
    """A face whose SFace vector is this one, unit length, and whose dlib vectors are half as long."""
    return {
        model: FaceTemplate(model, vector if model == SFACE else (vector / 2).astype(np.float32))
        for model in ENROLLED_MODELS
    }


def crowd(counts: Sequence[int], *, spread: float, seed: int) -> list[list[Templates]]:
    """So many faces of each person: a random direction each, and faces `spread` away from it on average."""
    random = np.random.default_rng(seed)
    people = []
    for count in counts:
        middle = random.standard_normal(128)
        middle /= np.linalg.norm(middle)
        faces = middle + spread * random.standard_normal((count, 128)) / np.sqrt(128)
        faces /= np.linalg.norm(faces, axis=1, keepdims=True)
        people.append([of_vector(face.astype(np.float32)) for face in faces])
    return people
