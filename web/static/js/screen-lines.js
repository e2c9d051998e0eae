// Lines that rules have the screen show, until their time is over: instead of the clock, or below whoever is greeted.

const MOST = 2;

export class Lines {
  #part;
  #root;
  #lines = [];
  #written = "";

  constructor(root, part) {
    this.#root = root;
    this.#part = part;
  }

  show(lines, now) {
    this.#lines = lines.slice(-MOST).map(({ key, text, left_s }) => ({ key, text, until: now + left_s * 1000 }));
    this.tick(now);
  }

  tick(now) {
    this.#lines = this.#lines.filter((each) => each.until > now);
    const written = JSON.stringify(this.#lines.map(({ key, text }) => [key, text]));
    if (written === this.#written) return;
    this.#written = written;
    this.#root.toggleAttribute("data-said-now", this.#lines.length > 0);
    if (this.#lines.length === 0) return; // what is there goes with the fade
    const list = this.#part("said");
    const before = new Map([...list.children].map((item) => [item.dataset.key, item]));
    const items = this.#lines.map(({ key, text }) => {
      const item = before.get(key) ?? document.createElement("li");
      item.dataset.key = key;
      if (item.textContent !== text) item.textContent = text;
      item.classList.toggle("long", [...text].length > 40);
      return item;
    });
    list.replaceChildren(...items);
  }
}
