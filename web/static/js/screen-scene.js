// What is to be seen, put on the page: clock, greetings, door, and whether the line is there.
// Everything is written by replacing what was there, and only when it is something else.
import { day, greeting, isDay, time } from "./screen-clock.js";
import { Cups } from "./screen-cups.js";
import { Leaders } from "./screen-leaders.js";
import { Lines } from "./screen-lines.js";

const DOOR = {
  open: "open",
  held_open: "open for a while",
  shut: "shut",
  unsure: "hard to see",
  unknown: "not watched",
};
const LEAVING_MS = 700;
// The whole layout wanders on a path of its own, a step a minute, so that nothing burns in.
const WANDER = 0.011;

export class Scene {
  #part;
  #root;
  #written = new Map();
  #greetings = [];
  #leaving = 0;
  #theme = "daylight";
  #fresh = null;
  #doors = [];
  #leaders;
  #cups;
  #lines;

  constructor(root) {
    this.#root = root;
    this.#part = (name) => root.querySelector(`[data-${name}]`);
    this.#leaders = new Leaders(root, this.#part);
    this.#cups = new Cups(root, this.#part);
    this.#lines = new Lines(root, this.#part);
  }

  /** When the appliance was last heard, by its own clock. */
  freshAt(date) {
    this.#fresh = date;
  }

  show(state, now) {
    this.#theme = state.theme;
    this.#doors = state.doors;
    this.#greetings = state.greetings.map(({ key, text, left_s }) => ({ key, text, until: now + left_s * 1000 }));
    this.#leaders.show(state.leaderboard, now);
    this.#cups.show(state.coffee ?? [], now);
    this.#lines.show(state.lines ?? [], now);
  }

  tick(date, now, lost) {
    this.#text("clock", time(date));
    this.#text("clock-small", time(date));
    this.#text("date", day(date));
    document.documentElement.dataset.theme =
      this.#theme === "daylight" ? (isDay(date) ? "light" : "dark") : this.#theme;
    this.#greet(date, now);
    this.#leaders.tick(now);
    this.#cups.tick(now);
    this.#lines.tick(now);
    this.#lineAndDoors(lost);
    this.#wander(date);
  }

  #greet(date, now) {
    const names = this.#part("names");
    this.#greetings = this.#greetings.filter((each) => each.until > now);
    const wanted = new Map(this.#greetings.map((each) => [each.key, each.text]));
    const shown = [...names.children];
    if (wanted.size === 0) {
      if (!this.#root.hasAttribute("data-greeting-now")) {
        if (shown.length && now > this.#leaving) names.replaceChildren();
        return;
      }
      // The names go with the fade, not before it.
      this.#root.removeAttribute("data-greeting-now");
      this.#leaving = now + LEAVING_MS;
      return;
    }
    for (const item of shown) if (!wanted.has(item.dataset.key)) item.remove();
    for (const [key, text] of wanted) {
      let item = [...names.children].find((each) => each.dataset.key === key);
      if (!item) {
        item = document.createElement("li");
        item.dataset.key = key;
        names.append(item);
      }
      if (item.textContent !== text) item.textContent = text;
    }
    const longest = Math.max(...[...wanted.values()].map((text) => [...text].length));
    this.#set(names, "--many", String(wanted.size));
    this.#set(names, "--longest", String(Math.max(longest, 3)));
    if (!this.#root.hasAttribute("data-greeting-now")) {
      this.#text("greeting", greeting(date));
      this.#root.setAttribute("data-greeting-now", "");
    }
  }

  #lineAndDoors(lost) {
    this.#root.toggleAttribute("data-lost", lost);
    const since = this.#fresh ? `No word from the door since ${time(this.#fresh)}` : "Waiting for the door";
    this.#text("line", lost ? since : "");
    const doors = lost ? [] : this.#doors;
    const said = JSON.stringify(doors);
    if (this.#written.get("doors") === said) return;
    this.#written.set("doors", said);
    const items = doors.map(({ id, state }) => {
      const item = document.createElement("li");
      const name = doors.length === 1 ? "The door is" : `${id[0].toUpperCase()}${id.slice(1)}:`;
      item.className = `door ${state}`;
      item.textContent = `${name} ${DOOR[state] ?? DOOR.unsure}`;
      return item;
    });
    this.#part("doors").replaceChildren(...items);
  }

  #wander(date) {
    const minute = Math.floor(date.getTime() / 60_000);
    if (this.#written.get("minute") === minute) return;
    this.#written.set("minute", minute);
    const reach = WANDER * Math.min(innerWidth, innerHeight);
    this.#set(this.#root, "--x", `${(reach * Math.sin(minute / 7)).toFixed(1)}px`);
    this.#set(this.#root, "--y", `${(reach * Math.sin(minute / 11 + 1)).toFixed(1)}px`);
  }

  #text(name, text) {
    if (this.#written.get(name) === text) return;
    this.#written.set(name, text);
    this.#part(name).textContent = text;
  }

  #set(element, property, value) {
    if (element.style.getPropertyValue(property) !== value) element.style.setProperty(property, value);
  }
}
