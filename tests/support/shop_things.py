"""A catalogue with pictures that can be looked at, for the pages of visual search."""

import hashlib

import cv2
import numpy as np
from search_items import photographs, rendered

from appliance.store import ItemEntry, NewPicture, Store
from appliance.wire.messages import MatchTold

MODEL = "efficientnet-lite0:0123456789ab"
TITLES = {
    "coffee": (
        "Coffee cup",
        "4.50 €",
        "https://shop.example/cups/coffee",
        "Cupboard by the sink",
    ),
    "chelsea": ("Chelsea, the office cat", "", "", "Belongs to nobody, sleeps in the server room."),
    "rocket": ("Model rocket", "129.00 €", "https://shop.example/rockets?id=7&colour=white", ""),
    "astronaut": ("Poster: astronaut", "12.00 €", "", "Meeting room"),
    "motorcycle_left": ("Motorcycle", "2,400 €", "https://motorcycles.example/", ""),
    "coins": ("Box of old coins", "", "", "Lost property, found 3 May in the kitchen"),
    "clock_motion": ("Wall clock", "18.90 €", "", ""),
}


def stock(store: Store, *, rest: int = 8) -> dict[str, MatchTold]:
    """Put photographs and rendered things into the catalogue; as matches, by id."""
    found = {}
    things = [each for each in photographs() if each.id in TITLES]
    for thing in [*rendered(rest), *sorted(things, key=lambda each: -list(TITLES).index(each.id))]:
        title, price, link, notes = TITLES.get(thing.id, (thing.id.replace("-", " ").title(), "", "", ""))
        store.put_item(ItemEntry(thing.id, title, link, price, notes), [kept(thing.bgr)])
        picture = store.item(thing.id).pictures[0].id
        found[thing.id] = MatchTold(
            item=thing.id, title=title, price=price, link=link, notes=notes, picture=picture, score=0.9
        )
    return found


def jpeg(bgr: np.ndarray) -> bytes:
    """A picture as a file."""
    return bytes(cv2.imencode(".jpg", bgr)[1])


def kept(bgr: np.ndarray) -> NewPicture:
    """A picture as it is kept, with features that nobody compares."""
    scale = 512 / max(bgr.shape[:2])
    small = cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else bgr
    content = jpeg(small)
    features = np.zeros(1280, np.float32)
    features[int(hashlib.sha256(content).hexdigest()[:8], 16) % 1280] = 1
    return NewPicture(
        sha256=hashlib.sha256(content).hexdigest(),
        jpeg=content,
        width_px=small.shape[1],
        height_px=small.shape[0],
        features={MODEL: features},
    )
