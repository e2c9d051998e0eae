// The coffee corner on the office screen: "3…2…1" for whoever holds a cup before the camera, and what came of it.
// What the appliance says goes on by the screen's own clock until it says something else.

const MOST = 3;

export class Cups {
  #part;
  #root;
  #people = [];
  #written = "";

  constructor(root, part) {
    this.#root = root;
    this.#part = part;
  }

  show(people, now) {
    this.#people = people.slice(0, MOST).map((each) => ({
      ...each,
      ends: now + each.left_s * 1000,
      until: now + each.over_s * 1000,
    }));
    this.tick(now);
  }

  tick(now) {
    this.#people = this.#people.filter((each) => each.until > now);
    const shown = this.#people.map((each) => ({ key: each.key, phase: each.phase, ...words(each, now) }));
    const written = JSON.stringify(shown);
    if (written === this.#written) return;
    this.#written = written;
    this.#root.toggleAttribute("data-coffee-now", shown.length > 0);
    const list = this.#part("cups");
    if (shown.length === 0) return; // what is there goes with the fade
    list.style.setProperty("--many", String(shown.length));
    const before = new Map([...list.children].map((item) => [item.dataset.key, item]));
    list.replaceChildren(...shown.map((each) => draw(before.get(each.key), each)));
  }
}

function words({ phase, text, ends }, now) {
  const left = Math.max(0, ends - now) / 1000;
  if (phase === "counting") return { big: String(Math.max(1, Math.ceil(left))), who: text, small: "Keep your cup in view" };
  if (phase === "counted") return { big: "+1", who: text, small: "Enjoy your coffee" };
  const minutes = Math.max(1, Math.ceil(left / 60));
  return { big: `${minutes} min`, who: text, small: "until the next one counts" };
}

function draw(item, { key, phase, big, who, small }) {
  const drawn = item ?? document.createElement("li");
  if (!item) {
    drawn.dataset.key = key;
    for (const name of ["big", "who", "small"]) {
      const part = document.createElement("span");
      part.className = name;
      drawn.append(part);
    }
  }
  drawn.dataset.phase = phase;
  drawn.classList.toggle("long", [...who].length > 12);
  for (const [name, value] of Object.entries({ big, who, small })) {
    const part = drawn.querySelector(`.${name}`);
    if (part.textContent !== value) part.textContent = value;
  }
  return drawn;
}
