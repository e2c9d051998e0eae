"""The set of a door scene: a pinhole camera before a wall with a doorway, painted leaves, a room behind.

Metres in the world: x to the right, y down (the floor is 0, up is negative), z away from the camera; the wall
is z = 0. Everything is painted once as two layers, as daylight and as the lamp light it; a frame blends them.
Knows nothing of time or of what the appliance makes of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Colour = tuple[float, float, float]
Points = NDArray[np.float64]

HEADROOM = 1.5
"""Layers hold light up to this much above 1 before they saturate."""
CEILING_Y = -2.75


def u8(values: NDArray[np.floating]) -> Picture:
    """Rounded and saturated."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def luma(colour: Colour) -> float:
    """Brightness of a blue-green-red colour, 0 to 255 (BT.601, as cv2 has it)."""
    return 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2]


class View:
    """A pinhole camera.

    Args:
        eye: Where it stands, metres.
        target: What it looks at, metres.
        focal_px: Focal length, pixels.
        size: Width and height of the canvas, pixels.
        roll: Degrees by which it hangs askew.
    """

    def __init__(
        self,
        eye: Sequence[float],
        target: Sequence[float],
        focal_px: float,
        size: tuple[int, int],
        roll: float = 0.0,
    ) -> None:
        self._eye = np.asarray(eye, np.float64)
        ahead = np.asarray(target, np.float64) - self._eye
        ahead /= np.linalg.norm(ahead)
        right = np.cross(np.array([0.0, 1.0, 0.0]), ahead)
        right /= np.linalg.norm(right)
        down = np.cross(ahead, right)
        turn = np.deg2rad(roll)
        self._axes = np.stack(
            [right * np.cos(turn) + down * np.sin(turn), down * np.cos(turn) - right * np.sin(turn), ahead]
        )
        self._focal = focal_px
        self._centre = np.array([size[0] / 2, size[1] / 2])

    def project(self, points: Sequence[Sequence[float]]) -> Points:
        """Pixels of points in metres; (n, 3) to (n, 2)."""
        seen = (np.asarray(points, np.float64) - self._eye) @ self._axes.T
        return seen[:, :2] / np.maximum(seen[:, 2:], 0.05) * self._focal + self._centre


@dataclass
class Look:
    """What the set looks like; colours are blue, green, red under full light."""

    wall: Colour
    door: Colour
    jamb: Colour
    room: Colour
    gap: float = 0.45
    leaves: int = 1
    style: str = "in"
    hinge: str = "left"
    surface: str = "plain"
    glass: bool = False
    pane: float = 0.3
    door_width: float = 0.95
    door_height: float = 2.08
    busy_wall: bool = True
    busy_room: float = 1.0
    sheen: float = 0.06
    yaw: float = 0.0
    wide: float = 0.3
    eye_height: float = 1.9


@dataclass
class Leaf:
    """One leaf: its hinge, the way it goes, and its painted face."""

    hinge_x: float
    reach: float
    top_y: float
    style: str
    day: Picture
    lamp: Picture
    alpha: Picture
    edge: Colour

    def corners(self, ajar: float) -> Points:
        """Its four corners in the world, in the order of the picture's, at degrees or share of its width."""
        if self.style in {"barn", "pocket"}:
            shift = -self.reach * ajar / 100
            z = -0.04 if self.style == "barn" else 0.04
            ends = [(self.hinge_x + shift, z), (self.hinge_x + shift + self.reach, z)]
        else:
            turn = np.deg2rad(ajar)
            z = (-1 if self.style == "in" else 1) * abs(self.reach) * np.sin(turn)
            ends = [(self.hinge_x, 0.0), (self.hinge_x + self.reach * np.cos(turn), z)]
        if self.reach < 0:
            ends.reverse()
        (ax, az), (bx, bz) = ends
        return np.array([(ax, self.top_y, az), (bx, self.top_y, bz), (bx, 0, bz), (ax, 0, az)])

    @property
    def behind(self) -> bool:
        """Whether it is seen through the doorway only."""
        return self.style in {"out", "pocket"}


class Stage:
    """A painted set; `compose` gives a canvas with the leaves as far open as asked.

    Args:
        rng: Decides everything the look leaves open.
        look: Colours, kinds, rough geometry.
        size: Width and height of the picture, pixels.
        pad: Pixels of canvas around the picture, for a camera that is nudged.
    """

    def __init__(self, rng: np.random.Generator, look: Look, size: tuple[int, int], pad: int) -> None:
        self.look, self.size, self.pad = look, size, pad
        self.canvas = size[0] + 2 * pad, size[1] + 2 * pad
        self._aim(rng)
        self._ppm = max(60.0, self.door_width_px / look.door_width)
        self._lights(rng)
        self._room_layers(rng)
        self.leaves = self._paint_leaves(rng)
        quad = self.opening_px()
        left, top = np.maximum(np.floor(quad.min(axis=0)).astype(int) - 1, 0)
        right, bottom = np.minimum(np.ceil(quad.max(axis=0)).astype(int) + 2, self.canvas)
        self.hole = int(left), int(top), int(right), int(bottom)
        self._hole_alpha = np.zeros((bottom - top, right - left), np.uint8)
        fixed = np.rint((quad - (left, top)) * 16).astype(np.int32)
        cv2.fillConvexPoly(self._hole_alpha, fixed, 255, cv2.LINE_AA, 4)
        self._behind = self._paint_behind(rng)

    # ------------------------------------------------------------ geometry

    def _aim(self, rng: np.random.Generator) -> None:
        """Put the camera where the upper part of the door is well in the picture."""
        width, height = self.size
        look = self.look
        for _ in range(200):
            distance = rng.uniform(2.4, 4.5)
            side = np.tan(np.deg2rad(look.yaw + rng.uniform(-4, 4))) * distance
            eye = (side, -look.eye_height + rng.uniform(-0.2, 0.2), -distance)
            target = (rng.uniform(-0.35, 0.35), -look.door_height + rng.uniform(0.35, 0.75), 0.0)
            focal = look.wide * width * distance / look.door_width * rng.uniform(0.9, 1.1)
            self.view = View(eye, target, focal, self.canvas, rng.uniform(-1.2, 1.2))
            quad = self.opening_px() - self.pad
            tops = quad[:2, 1] / height
            sides = quad[:2, 0] / width
            if 0.07 < tops.min() and tops.max() < 0.3 and 0.08 < sides[0] and sides[1] < 0.92:
                break
        self.door_width_px = float(np.linalg.norm(quad[1] - quad[0]))

    def opening_px(self) -> Points:
        """The doorway's corners on the canvas, clockwise from top left, pixels."""
        half, top = self.look.door_width / 2, -self.look.door_height
        return self.view.project([(-half, top, 0), (half, top, 0), (half, 0, 0), (-half, 0, 0)])

    def _lights(self, rng: np.random.Generator) -> None:
        """A window to one side, a lamp under the ceiling."""
        self._window = rng.choice([-1, 1]) * rng.uniform(1.5, 4.0), rng.uniform(2.5, 5.0)
        self._lamp = rng.uniform(-1.5, 1.5), rng.uniform(-3.2, -2.6), rng.uniform(0.8, 2.0)

    def _field(self, x: NDArray[np.float32], y: NDArray[np.float32], kind: str) -> NDArray[np.float32]:
        """Light at points of the wall, about 1 at the upper door."""
        if kind == "day":
            at, broad = self._window

            def day(px: NDArray[np.float32] | float) -> NDArray[np.float32]:
                return np.asarray(0.7 + 0.5 * np.exp(-(((px - at) / broad) ** 2)), np.float32)

            return day(x) / day(0.0) * (1 + 0.06 * (y + 1.5))
        lx, ly, lz = self._lamp

        def lamp(px: NDArray[np.float32] | float, py: NDArray[np.float32] | float) -> NDArray[np.float32]:
            return np.asarray(1 / (1.2 + (px - lx) ** 2 * 0.3 + (py - ly) ** 2 * 0.3 + lz), np.float32)

        return lamp(x, y) / lamp(0.0, -1.8)

    # ------------------------------------------------------------ paint

    def _room_layers(self, rng: np.random.Generator) -> None:
        """The wall with what hangs on it, jambs and floor, as the two lights show it."""
        look, ppm = self.look, self._ppm
        x0, x1, y0 = -4.0, 4.0, -4.2
        high, wide = int(-y0 * ppm), int((x1 - x0) * ppm)
        wall = np.empty((high, wide, 3), np.float32)
        wall[:] = look.wall
        rough = cv2.resize(
            rng.normal(0, 1, (high // 24 + 2, wide // 24 + 2)).astype(np.float32), (wide, high)
        )
        fine = cv2.resize(rng.normal(0, 1, (high // 2 + 1, wide // 2 + 1)).astype(np.float32), (wide, high))
        wall *= (1 + 0.008 * rough + 0.006 * fine)[..., None]

        def px(x: float, y: float) -> tuple[int, int]:
            return round((x - x0) * ppm), round((y - y0) * ppm)

        def box(left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
            cv2.rectangle(wall, px(left, top), px(right, bottom), colour, -1)

        ceiling = np.array(look.wall) * rng.uniform(0.85, 1.1)
        box(x0, y0, x1, CEILING_Y, (float(ceiling[0]), float(ceiling[1]), float(ceiling[2])))
        if look.busy_wall:
            self._hang_things(rng, box)
        half, top = look.door_width / 2, -look.door_height
        jamb, deep = rng.uniform(0.045, 0.1), rng.uniform(0.55, 0.85)
        box(-half - jamb, top - jamb, half + jamb, 0, look.jamb)
        line = tuple(float(c * deep) for c in look.jamb)
        cv2.rectangle(
            wall, px(-half - jamb, top - jamb), px(half + jamb, 0.1), line, max(1, round(0.006 * ppm))
        )
        dark = tuple(float(c * look.gap) for c in look.jamb)
        seam = 0.012
        box(-half - seam, top - seam, half + seam, 0, (dark[0], dark[1], dark[2]))
        xs = np.linspace(x0, x1, wide, dtype=np.float32)[None, :]
        ys = np.linspace(y0, 0, high, dtype=np.float32)[:, None]
        corners = self.view.project([(x0, y0, 0), (x1, y0, 0), (x1, 0, 0), (x0, 0, 0)])
        turn = cv2.getPerspectiveTransform(
            np.array([(0, 0), (wide, 0), (wide, high), (0, high)], np.float32), corners.astype(np.float32)
        )
        floor = np.array([rng.uniform(50, 130)] * 3) + rng.uniform(-15, 15, 3)
        layers = []
        for kind in ("day", "lamp"):
            lit = u8(wall * (self._field(xs, ys, kind) / HEADROOM)[..., None])
            layers.append(
                cv2.warpPerspective(
                    lit,
                    turn,
                    self.canvas,
                    flags=cv2.INTER_LINEAR,
                    borderMode=cv2.BORDER_CONSTANT,
                    borderValue=[float(c) / HEADROOM for c in floor],
                )
            )
        self._day, self._lamp_layer = layers

    def _hang_things(self, rng: np.random.Generator, box) -> None:  # noqa: ANN001
        """Prints, a switch, a sign, a shelf: what an office wall has, beside and above the door."""
        half = self.look.door_width / 2
        for side in (-1, 1):
            if rng.random() < 0.7:
                x = side * (half + rng.uniform(0.45, 1.2))
                w, h = rng.uniform(0.15, 0.4), rng.uniform(0.2, 0.5)
                y = -rng.uniform(1.5, 2.0)
                shade = rng.uniform(20, 90, 3)
                box(x - w, y - h, x + w, y + h, tuple(shade))
                inner = rng.uniform(60, 230, 3)
                box(x - w + 0.04, y - h + 0.04, x + w - 0.04, y + h - 0.04, tuple(inner))
                for _ in range(4):
                    bx, by = x + rng.uniform(-w, w) * 0.6, y + rng.uniform(-h, h) * 0.6
                    box(
                        bx - w * 0.2,
                        by - h * 0.15,
                        bx + w * 0.2,
                        by + h * 0.15,
                        tuple(rng.uniform(20, 240, 3)),
                    )
            if rng.random() < 0.5:
                x = side * (half + rng.uniform(0.2, 0.3))
                box(x - 0.04, -1.15, x + 0.04, -1.07, (225, 228, 230))
        if rng.random() < 0.3:
            x, y = rng.uniform(-0.3, 0.3), -self.look.door_height - rng.uniform(0.24, 0.34)
            box(x - 0.16, y - 0.08, x + 0.16, y + 0.08, (70, 150, 40))
            box(x - 0.05, y - 0.05, x + 0.06, y + 0.05, (230, 240, 230))

    def _paint_leaves(self, rng: np.random.Generator) -> list[Leaf]:
        """One leaf, or two that meet in the middle."""
        look = self.look
        half = look.door_width / 2
        if look.leaves == 2:
            spans = [(-half, half), (half, -half)]  # hinge, reach: each half the doorway
        elif look.hinge == "left":
            spans = [(-half, look.door_width)]
        else:
            spans = [(half, -look.door_width)]
        faces = rng.integers(2**32)
        return [self._paint_leaf(np.random.default_rng(faces), hinge, reach) for hinge, reach in spans]

    def _paint_leaf(self, rng: np.random.Generator, hinge: float, reach: float) -> Leaf:
        look, ppm = self.look, self._ppm
        width, height = abs(reach), look.door_height
        wide, high = max(8, round(width * ppm)), max(8, round(height * ppm))
        face = np.empty((high, wide, 3), np.float32)
        face[:] = look.door
        self._texture(rng, face)
        across = np.linspace(-1, 1, wide, dtype=np.float32)[None, :]
        down = np.linspace(-1, 1, high, dtype=np.float32)[:, None]
        face *= (1 + look.sheen * (rng.uniform(-1, 1) * across + rng.uniform(-1, 1) * down * 0.5))[..., None]
        alpha = np.full((high, wide), 255, np.uint8)
        if look.glass:
            self._glaze(rng, face, alpha)
        # The handle, and a seam all around.
        free = 0.93 if reach > 0 else 0.07
        hx, hy = round(wide * free), round(high * 0.52)
        step = max(2, round(0.02 * ppm))
        inward = -1 if reach > 0 else 1
        cv2.line(face, (hx, hy), (hx + inward * 5 * step, hy), (170, 175, 178), step)
        cv2.circle(face, (hx, hy + 4 * step), step, (90, 95, 98), -1)
        dark = tuple(float(c * look.gap) for c in look.door)
        cv2.rectangle(face, (0, 0), (wide - 1, high - 1), dark, max(1, round(0.009 * ppm)))
        start = hinge if reach > 0 else hinge + reach
        xs = np.linspace(start, start + width, wide, dtype=np.float32)[None, :]
        ys = np.linspace(-height, 0, high, dtype=np.float32)[:, None]
        day, lamp = (u8(face * (self._field(xs, ys, kind) / HEADROOM)[..., None]) for kind in ("day", "lamp"))
        edge = tuple(float(c * 0.7) for c in look.door)
        return Leaf(hinge, reach, -height, look.style, day, lamp, alpha, (edge[0], edge[1], edge[2]))

    def _texture(self, rng: np.random.Generator, face: NDArray[np.float32]) -> None:
        """Wood's grain, panels, or plain paint."""
        high, wide = face.shape[:2]
        surface = self.look.surface
        if surface == "wood":
            grain = rng.normal(0, 1, (max(2, high // 60), max(4, wide // 3))).astype(np.float32)
            face *= (1 + 0.025 * cv2.resize(grain, (wide, high), interpolation=cv2.INTER_CUBIC))[..., None]
        elif surface == "panels":
            for top, bottom in ((0.05, 0.42), (0.56, 0.94)):
                for left, right in ((0.12, 0.46), (0.54, 0.88)):
                    a = round(wide * left), round(high * top)
                    b = round(wide * right), round(high * bottom)
                    thick = max(1, round(0.007 * self._ppm))
                    light = tuple(float(min(255, c * 1.08)) for c in self.look.door)
                    dark = tuple(float(c * 0.88) for c in self.look.door)
                    cv2.rectangle(face, a, b, dark, thick)
                    cv2.rectangle(face, (a[0] + thick, a[1] + thick), (b[0] + thick, b[1] + thick), light, 1)
        elif surface == "notice":
            for _ in range(2):
                x, y = rng.uniform(0.2, 0.6), rng.uniform(0.38, 0.6)
                a = round(wide * x), round(high * y)
                b = round(wide * (x + rng.uniform(0.15, 0.25))), round(high * (y + 0.1))
                cv2.rectangle(face, a, b, tuple(rng.uniform(150, 250, 3)), -1)
        fine = cv2.resize(rng.normal(0, 1, (high // 2 + 1, wide // 2 + 1)).astype(np.float32), (wide, high))
        face *= (1 + 0.005 * fine)[..., None]

    def _glaze(self, rng: np.random.Generator, face: NDArray[np.float32], alpha: Picture) -> None:
        """A pane: mostly what is behind it, a little reflection."""
        high, wide = alpha.shape
        rail, stile = rng.uniform(0.09, 0.15), rng.uniform(0.12, 0.17)
        bottom = rng.choice([0.45, 0.9])
        top, left = round(high * rail), round(wide * stile)
        low, right = round(high * bottom), wide - left
        pane = face[top:low, left:right]
        pane[:] = rng.uniform(70, 140, 3).astype(np.float32)
        shine = np.linspace(0.8, 1.3, right - left, dtype=np.float32)[None, :, None]
        pane *= shine
        alpha[top:low, left:right] = round(255 * self.look.pane)
        thick = max(1, round(0.008 * self._ppm))
        cv2.rectangle(face, (left, top), (right, low), tuple(float(c * 0.6) for c in self.look.door), thick)

    def _paint_behind(self, rng: np.random.Generator) -> Picture:
        """The corridor or room behind the doorway, cut to its bounding box."""
        left, top, right, bottom = self.hole
        canvas = np.zeros((self.canvas[1], self.canvas[0], 3), np.float32)
        colour = np.array(self.look.room)
        deep, half = rng.uniform(1.4, 4.5), rng.uniform(0.9, 2.2)
        shift = rng.uniform(-0.5, 0.5)
        x0, x1 = shift - half, shift + half

        def fill(points: list[tuple[float, float, float]], shade: NDArray[np.float64] | float) -> None:
            corners = np.rint(self.view.project(points) * 16).astype(np.int32)
            paint = colour * shade
            cv2.fillConvexPoly(canvas, corners, [float(c) for c in paint], cv2.LINE_AA, 4)

        high = CEILING_Y
        fill([(x0, high, deep), (x1, high, deep), (x1, 0, deep), (x0, 0, deep)], 1.0)
        fill([(x0, high, 0), (x0, high, deep), (x0, 0, deep), (x0, 0, 0)], rng.uniform(0.8, 0.95))
        fill([(x1, high, 0), (x1, high, deep), (x1, 0, deep), (x1, 0, 0)], rng.uniform(0.75, 0.95))
        fill([(x0, high, 0), (x1, high, 0), (x1, high, deep), (x0, high, deep)], rng.uniform(0.95, 1.15))
        fill([(x0, 0, 0), (x1, 0, 0), (x1, 0, deep), (x0, 0, deep)], rng.uniform(0.4, 0.8))
        for _ in range(round(rng.integers(2, 6) * self.look.busy_room)):
            x, w = rng.uniform(x0, x1), rng.uniform(0.1, 0.45)
            y, h = -rng.uniform(0.3, 2.3), rng.uniform(0.1, 0.5)
            z = deep - rng.uniform(0.02, 0.4)
            kind = rng.integers(4)
            shade = {
                0: rng.uniform(0.2, 0.7, 3),
                1: rng.uniform(0.7, 1.3, 3),
                2: rng.uniform(0.1, 0.4, 3),
            }.get(int(kind), np.array([1.5, 1.45, 1.4]) if rng.random() < 0.4 else rng.uniform(0.4, 1.0, 3))
            fill([(x - w, y - h, z), (x + w, y - h, z), (x + w, y + h, z), (x - w, y + h, z)], shade)
        canvas = cv2.GaussianBlur(canvas, (0, 0), 0.8 + self.size[0] / 900)
        return u8(canvas[top:bottom, left:right] / HEADROOM)

    # ------------------------------------------------------------ a moment

    def compose(
        self, ajar: Sequence[float], day: float, lamp: float, behind: float, inside: Sequence[tuple] = ()
    ) -> Picture:
        """The canvas: how far each leaf stands open, the lights, who is on the other side.

        Args:
            ajar: Degrees, or per cent of the width for sliding leaves, one per leaf.
            day: Daylight in the room; day and lamp together make about 1.
            lamp: Lamp light in the room.
            behind: Light on the other side.
            inside: Sprites with their place: (sprite, centre x, top y, height, gain), canvas pixels.
        """
        room = cv2.addWeighted(self._day, day * HEADROOM, self._lamp_layer, lamp * HEADROOM, 0)
        left, top, right, bottom = self.hole
        hole = cv2.convertScaleAbs(self._behind, alpha=behind * HEADROOM)
        for sprite, x, y, height, gain in inside:
            sprite.draw(hole, x - left, y - top, height, gain)
        for leaf, far in zip(self.leaves, ajar, strict=True):
            if leaf.behind:
                self._draw_leaf(hole, (left, top), leaf, far, (day, lamp, behind))
        blend(room[top:bottom, left:right], hole, self._hole_alpha)
        for leaf, far in zip(self.leaves, ajar, strict=True):
            if not leaf.behind:
                self._draw_leaf(room, (0, 0), leaf, far, (day, lamp, behind))
        return room

    def _draw_leaf(
        self,
        onto: Picture,
        origin: tuple[int, int],
        leaf: Leaf,
        ajar: float,
        lights: tuple[float, float, float],
    ) -> None:
        day, lamp, behind = lights
        turned = np.sin(np.deg2rad(min(ajar, 90.0))) if leaf.style in {"in", "out"} else 0.0
        # Turned away from the room's light, a leaf that goes outwards takes on the light of the other side.
        shade = 1 - (0.28 if leaf.style == "in" else 0.4) * turned
        spill = 0.35 * turned * behind if leaf.style == "out" else 0.0
        day, lamp = day * shade + spill, lamp * shade
        quad = self.view.project(leaf.corners(ajar)) - origin
        if turned > 0.05:
            self._draw_edge(onto, origin, leaf, ajar, day + lamp)
        left, top = np.maximum(np.floor(quad.min(axis=0)).astype(int), 0)
        right = min(int(np.ceil(quad[:, 0].max())) + 1, onto.shape[1])
        bottom = min(int(np.ceil(quad[:, 1].max())) + 1, onto.shape[0])
        if right - left < 2 or bottom - top < 2:
            return
        high, wide = leaf.alpha.shape
        turn = cv2.getPerspectiveTransform(
            np.array([(0, 0), (wide, 0), (wide, high), (0, high)], np.float32),
            (quad - (left, top)).astype(np.float32),
        )
        face = cv2.addWeighted(leaf.day, day * HEADROOM, leaf.lamp, lamp * HEADROOM, 0)
        size = int(right - left), int(bottom - top)
        flags = cv2.INTER_LINEAR
        seen = cv2.warpPerspective(face, turn, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        cover = cv2.warpPerspective(leaf.alpha, turn, size, flags=flags, borderMode=cv2.BORDER_CONSTANT)
        blend(onto[top:bottom, left:right], seen, cover)

    def _draw_edge(
        self, onto: Picture, origin: tuple[int, int], leaf: Leaf, ajar: float, light: float
    ) -> None:
        """The thickness of the leaf, at its free end."""
        corners = leaf.corners(ajar)
        free = corners[[1, 2]] if leaf.reach > 0 else corners[[0, 3]]
        turn = np.deg2rad(ajar)
        sign = 1 if leaf.reach > 0 else -1
        away = np.array([sign * np.sin(turn), 0, np.cos(turn) * (1 if leaf.style == "in" else -1)]) * 0.04
        edge = self.view.project(np.array([free[0], free[1], free[1] + away, free[0] + away])) - origin
        paint = [min(255.0, c * light) for c in leaf.edge]
        cv2.fillConvexPoly(onto, np.rint(edge * 16).astype(np.int32), paint, cv2.LINE_AA, 4)


def blend(onto: Picture, picture: Picture, alpha: Picture) -> None:
    """Lay a picture over another of its size, in place."""
    cover = cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR)
    above = cv2.multiply(picture, cover, scale=1 / 255)
    onto[:] = cv2.add(above, cv2.multiply(onto, cv2.bitwise_not(cover), scale=1 / 255))
