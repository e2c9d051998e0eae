// The leaderboard of the office screen: how often people were greeted, or their coffees. Of coffees there are
// several, and of many people several pages; they come round calmly, and a new coffee is shown at once: on its
// row, and by itself with its place, however far back that is. Rows are told apart by their keys: two people
// may look alike.

const PAGE_MS = 10_000;
const FRESH_MS = 6000;
const ROWS = 7;
const TITLES = { day: "today", week: "this week", month: "this month", all: "of all time" };
const LONG = 12;

export class Leaders {
  #part;
  #root;
  #said = "";
  #pages = [];
  #at = 0;
  #since = 0;
  #fresh = { key: null, until: 0 };
  #newest = { key: null, until: 0 };
  #begun = false;

  /**
   * @param {Element} root The screen.
   * @param {(name: string) => Element} part Its parts by name.
   */
  constructor(root, part) {
    this.#root = root;
    this.#part = part;
  }

  show(board, now) {
    if (board?.kind === "coffee") this.#follow(board, now);
    const said = JSON.stringify(board, (name, value) => (name === "newest" ? undefined : value));
    if (said === this.#said) return;
    this.#said = said;
    const section = this.#part("leaders");
    section.hidden = board === null;
    this.#root.toggleAttribute("data-with-leaders", board !== null);
    this.#root.toggleAttribute("data-with-coffee", board?.kind === "coffee");
    this.#pages = board === null ? [] : board.kind === "coffee" ? coffees(board.boards) : [greetings(board)];
    if (this.#at >= this.#pages.length) this.#at = 0;
    const rows = Math.max(0, ...this.#pages.map((page) => page.rows.length));
    this.#part("places").style.setProperty("--rows", String(rows));
    this.#draw();
  }

  tick(now) {
    if (this.#newest.key !== null && now > this.#newest.until) this.#tell(null, null);
    if (this.#fresh.key !== null && now > this.#fresh.until) {
      this.#fresh.key = null;
      this.#draw();
    }
    if (this.#pages.length < 2 || now - this.#since < PAGE_MS) return;
    this.#at = (this.#at + 1) % this.#pages.length;
    this.#since = now;
    this.#draw();
  }

  /** Whoever took the newest coffee is told for a while, and shown on the first leaderboard if they are there. */
  #follow({ newest, boards }, now) {
    const first = !this.#begun;
    this.#begun = true;
    if (!newest) {
      this.#tell(null, null);
      this.#fresh.key = null;
      return;
    }
    const another = newest.key !== this.#newest.key;
    this.#newest.until = now + newest.left_s * 1000;
    this.#tell(newest, boards[0].period);
    // A page that was just loaded begins with the first places, whoever came a moment before.
    if (first || !another) return;
    const index = boards[0].rows.findIndex((row) => row.key === newest.row.key);
    if (index < 0) return;
    this.#fresh = { key: newest.row.key, until: now + FRESH_MS };
    this.#at = Math.floor(index / ROWS);
    this.#since = now;
    this.#said = "";
  }

  #tell(newest, period) {
    this.#newest.key = newest?.key ?? null;
    const line = this.#part("just-now");
    line.hidden = newest === null;
    if (newest === null) return;
    const { text, count, place } = newest.row;
    this.#part("just-now-who").textContent = text;
    this.#part("just-now-what").textContent = `${ordinal(count)} coffee ${TITLES[period] ?? ""}, place ${place}`;
  }

  #draw() {
    const page = this.#pages[this.#at];
    if (!page) return;
    this.#part("leaders-title").textContent = page.title;
    this.#part("places").replaceChildren(...page.rows.map((row) => this.#row(row, page)));
    this.#part("leaders-of").textContent = page.of;
    this.#part("leaders-page").textContent = page.which ?? "";
    const boards = [...new Set(this.#pages.map((each) => each.board))];
    this.#part("pages").replaceChildren(
      ...(boards.length > 1 ? boards : []).map((board) => {
        const dot = document.createElement("span");
        dot.classList.toggle("here", board === page.board);
        return dot;
      }),
    );
  }

  #row({ key, place, text, count }, page) {
    const row = document.createElement("li");
    row.classList.toggle("first", place === 1);
    row.classList.toggle("podium", place <= 3);
    row.classList.toggle("long", [...text].length > LONG);
    row.classList.toggle("fresh", page.live && key !== undefined && key === this.#fresh.key);
    for (const [name, value] of [["place", place], ["who", text], ["count", count]]) {
      const cell = document.createElement("span");
      cell.className = name;
      cell.textContent = String(value);
      row.append(cell);
    }
    row.style.setProperty("--share", String(count / page.most));
    return row;
  }
}

function greetings(board) {
  const days = board.days === 1 ? "today" : `in the last ${board.days} days`;
  const of = board.rows.length ? `Times greeted at the door ${days}` : `Nobody was greeted ${days}.`;
  return { title: "Greeted most often", rows: board.rows, of, most: Math.max(1, board.rows[0]?.count ?? 1), live: false, board: 0 };
}

function coffees(boards) {
  return boards.flatMap((board, which) => {
    const title = `Coffee ${TITLES[board.period] ?? ""}`;
    const most = Math.max(1, board.rows[0]?.count ?? 1);
    const live = which === 0;
    if (board.rows.length === 0) return live || boards.length === 1 ? [{ title, rows: [], of: "No cup yet.", most, live, board: which }] : [];
    const pages = Math.ceil(board.rows.length / ROWS);
    const cups = board.coffees === 1 ? "One cup" : `${board.coffees} cups`;
    const people = board.rows.length + board.more;
    const of = people === 1 ? "one person" : `${people} people`;
    return Array.from({ length: pages }, (_, page) => {
      const rows = board.rows.slice(page * ROWS, (page + 1) * ROWS);
      const shown = people > ROWS ? `${page * ROWS + 1}–${page * ROWS + rows.length} of ${of}` : `${cups}, ${of}`;
      return { title, rows, of: shown, which: pages > 1 ? `${page + 1}/${pages}` : "", most, live, board: which };
    });
  });
}

function ordinal(number) {
  const tens = number % 100;
  const ending = tens > 10 && tens < 14 ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th");
  return `${number}${ending}`;
}
