// The marks on the picture of a door: a point on it and the area that is watched, by pointer or by keys.

const STEP = 0.004;
const STRIDE = 0.03;
const LEAST = 0.04;
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const round = (value) => Math.round(value * 10000) / 10000;

/**
 * Let the marks be moved.
 * @param {Element} root Holds them.
 * @param {{region: number[], seed: number[]}} door Where they are, in fractions of the picture; changed in place.
 * @param {{changed: () => void, drawn: () => void}} told When one was moved; when it was the area that was drawn.
 * @returns {() => void} Puts them where the door says that they are.
 */
export function marks(root, door, told) {
  const part = (name) => root.querySelector(`[data-${name}]`);
  const stage = part("stage");

  function place() {
    const [left, top, right, bottom] = door.region;
    const box = part("region").style;
    box.left = `${left * 100}%`;
    box.top = `${top * 100}%`;
    box.width = `${(right - left) * 100}%`;
    box.height = `${(bottom - top) * 100}%`;
    const seed = part("seed").style;
    seed.left = `${door.seed[0] * 100}%`;
    seed.top = `${door.seed[1] * 100}%`;
    for (const corner of root.querySelectorAll("[data-corner]")) {
      const [across, down] = corner.dataset.corner.split(" ");
      corner.style.left = `${(across === "left" ? left : right) * 100}%`;
      corner.style.top = `${(down === "top" ? top : bottom) * 100}%`;
    }
  }

  /** The point goes there; an area that does not hold it goes with it. */
  function point(x, y) {
    const [left, top, right, bottom] = door.region;
    const wide = right - left;
    const high = bottom - top;
    const newLeft = clamp(x < left || x > right ? x - wide / 2 : left, 0, 1 - wide);
    const newTop = clamp(y < top || y > bottom ? y - high / 2 : top, 0, 1 - high);
    if (newLeft !== left || newTop !== top) door.region = [newLeft, newTop, newLeft + wide, newTop + high].map(round);
    door.seed = [round(clamp(x, door.region[0], door.region[2])), round(clamp(y, door.region[1], door.region[3]))];
    moved();
  }

  /** A corner goes there; the point stays inside. */
  function corner(which, x, y) {
    const [across, down] = which.split(" ");
    let [left, top, right, bottom] = door.region;
    if (across === "left") left = clamp(x, 0, right - LEAST);
    else right = clamp(x, left + LEAST, 1);
    if (down === "top") top = clamp(y, 0, bottom - LEAST);
    else bottom = clamp(y, top + LEAST, 1);
    door.region = [left, top, right, bottom].map(round);
    door.seed = [round(clamp(door.seed[0], left, right)), round(clamp(door.seed[1], top, bottom))];
    told.drawn();
    moved();
  }

  function at(event) {
    const box = stage.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width, 0, 1), clamp((event.clientY - box.top) / box.height, 0, 1)];
  }

  function drags(element, move) {
    element.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      event.stopPropagation();
      element.focus({ preventScroll: true });
      element.setPointerCapture(event.pointerId);
      const follow = (moved) => move(...at(moved));
      const over = () => {
        element.removeEventListener("pointermove", follow);
        element.removeEventListener("pointerup", over);
        element.removeEventListener("pointercancel", over);
      };
      element.addEventListener("pointermove", follow);
      element.addEventListener("pointerup", over);
      element.addEventListener("pointercancel", over);
    });
  }

  function steers(element, from, move) {
    element.addEventListener("keydown", (event) => {
      const way = KEYS[event.key];
      if (!way) return;
      event.preventDefault();
      const by = event.shiftKey ? STRIDE : STEP;
      const [x, y] = from();
      move(clamp(x + way[0] * by, 0, 1), clamp(y + way[1] * by, 0, 1));
    });
  }

  stage.addEventListener("pointerdown", (event) => {
    if (event.button || part("marks").hidden) return;
    part("seed").focus({ preventScroll: true });
    point(...at(event));
  });
  drags(part("seed"), point);
  steers(part("seed"), () => door.seed, point);
  for (const element of root.querySelectorAll("[data-corner]")) {
    const which = element.dataset.corner;
    const [across, down] = which.split(" ");
    const from = () => [door.region[across === "left" ? 0 : 2], door.region[down === "top" ? 1 : 3]];
    drags(element, (x, y) => corner(which, x, y));
    steers(element, from, (x, y) => corner(which, x, y));
  }

  function moved() {
    place();
    told.changed();
  }

  return place;
}
