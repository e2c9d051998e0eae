"""A table of rendered items with their pictures, as somebody would import it."""

import csv
from pathlib import Path

import cv2
from search_items import rendered


def write_table(folder: Path, count: int, *, side_px: int = 160, seed: int = 0) -> Path:
    """So many items with one picture each, and every tenth with a second one; the table's file."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "items.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "title", "link", "price", "notes", "pictures"])
        for at, thing in enumerate(rendered(count, seed)):
            names = [f"{at}.jpg"]
            cv2.imwrite(str(folder / names[0]), cv2.resize(thing.bgr, (side_px, side_px)))
            if at % 10 == 0:
                names.append(f"{at}-turned.jpg")
                turned = cv2.rotate(thing.bgr, cv2.ROTATE_90_CLOCKWISE)
                cv2.imwrite(str(folder / names[1]), cv2.resize(turned, (side_px, side_px)))
            link = f"https://example.com/{thing.id}"
            rows.writerow([f"{thing.kind}-{at}", f"A {thing.kind}", link, f"{at} €", "", ";".join(names)])
    return table
