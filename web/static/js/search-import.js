// An import: the table goes to the box first, then each row's pictures out of the chosen folder, some rows at once.
// Files are read one by one as they are sent, so a large folder takes no memory.
import { Fault, ask } from "./asking.js";
import { sentence } from "./telling.js";

const AT_ONCE = 3;
const TRIES = 5;
const AGAIN_MS = 1500;
const MOST_SHOWN = 500;
const root = document.querySelector("[data-import]");
const form = root.querySelector("[data-import-form]");
const find = (name) => root.querySelector(`[data-${name}]`);
let stopped = false;
let running = false;

/** A path with the same spelling whatever wrote it; without what leads nowhere. */
function plain(path) {
  return path.normalize("NFC").replaceAll("\\", "/").replace(/^(\.\/)+/, "");
}

/** The chosen files by their paths as a table may name them: from the folder on, or from within it. */
function byPath(files) {
  const found = new Map();
  for (const file of files) {
    const path = plain(file.webkitRelativePath || file.name);
    const within = path.slice(path.indexOf("/") + 1);
    found.set(within, file);
    if (!found.has(path)) found.set(path, file);
  }
  return found;
}

function say(words) {
  find("words").textContent = words;
}

function show(told) {
  const done = told.rows - told.not_reached;
  find("bar").max = told.rows;
  find("bar").value = done;
  const parts = [`${told.added.toLocaleString()} added`, `${told.changed.toLocaleString()} changed`, `${told.same.toLocaleString()} there already`, `${told.refused.toLocaleString()} refused`];
  say(`${done.toLocaleString()} of ${told.rows.toLocaleString()} rows: ${parts.join(", ")}.`);
}

function faults(told) {
  find("faults").hidden = !told.faults.length;
  find("fault-rows").replaceChildren(
    ...told.faults.map((each) => {
      const row = document.createElement("tr");
      const hint = each.hint ? ` ${sentence(each.hint)}` : "";
      for (const [label, words] of [["Row", String(each.row)], ["Item", each.item], ["Column", each.column], ["What is wrong", `${sentence(each.what)}${hint}`]]) {
        const cell = document.createElement("td");
        cell.dataset.label = label;
        cell.textContent = words;
        row.append(cell);
      }
      return row;
    }),
  );
  find("more-faults").textContent = told.more_faults ? `And ${told.more_faults.toLocaleString()} more.` : "";
}

function over(words, kind) {
  const notice = find("over");
  notice.className = `notice ${kind}`;
  notice.setAttribute("role", kind === "bad" ? "alert" : "status");
  const line = document.createElement("p");
  line.textContent = words;
  notice.replaceChildren(line);
  notice.hidden = false;
}

/** Send, and again after a while where the box was not reached or is starting. */
async function patient(path, body) {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await ask(path, { body });
    } catch (fault) {
      const passing = fault instanceof Fault && (fault.status === 0 || fault.status === 503);
      if (!passing || left <= 1 || stopped) throw fault;
      say("The box is not reached just now; it goes on by itself.");
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

/** What the box is told of a picture. */
function body(path, files) {
  const made = new FormData();
  made.set("path", path);
  const file = path ? files.get(plain(path)) : null;
  if (path && !file) made.set("missing", "1");
  else if (file && file.size > Number(root.dataset.largest)) made.set("too_large", "1");
  else if (file) made.set("file", file, "picture");
  return made;
}

async function sendOnce(address, row, files) {
  let told = null;
  for (const path of row.pictures.length ? row.pictures : [""]) {
    try {
      told = await patient(address, body(path, files));
    } catch (fault) {
      if (!(fault instanceof Fault) || fault.status !== 413) throw fault;
      const instead = new FormData();
      instead.set("path", path);
      instead.set("too_large", "1");
      told = await patient(address, instead);
    }
  }
  return told;
}

/** Send a row; once more from its first picture where the box let go of some of them meanwhile. */
async function send(number, row, files) {
  const address = `${root.dataset.import}/${number}/rows/${row.index}`;
  const told = await sendOnce(address, row, files);
  return told.row_done || stopped ? told : sendOnce(address, row, files);
}

/** Whether it is this row that is wrong, and not the import, or who asks. */
function ofRow(fault) {
  return fault instanceof Fault && [400, 413, 422].includes(fault.status) && !fault.fields?.number && !fault.fields?.index;
}

async function* rows(number) {
  let after = 0;
  while (after !== null) {
    const page = await ask(`${root.dataset.import}/${number}/rows?after=${after}`);
    yield* page.rows;
    after = page.next;
  }
}

async function run() {
  const body = new FormData();
  body.set("table", form.elements.table.files[0]);
  for (const name of ["replace", "pass_over"]) if (form.elements[name].checked) body.set(name, "1");
  const begun = await ask(`${root.dataset.import}/begin`, { body });
  show(begun);
  const files = byPath(form.elements.folder.files);
  const waiting = rows(begun.number);
  const odd = [];
  let newest = begun;
  const worker = async () => {
    for (;;) {
      const { value: row, done } = await waiting.next();
      if (done || stopped) return;
      let told = null;
      try {
        told = await send(begun.number, row, files);
      } catch (fault) {
        // One row is never the end of the others.
        if (!ofRow(fault)) throw fault;
        odd.push({ row: row.row, item: row.item, column: "pictures", what: fault.message, hint: fault.hint });
      }
      if (told && told.not_reached <= newest.not_reached) {
        newest = told;
        show(told);
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  const told = await ask(`${root.dataset.import}/${begun.number}/end`, { method: "POST" });
  show(told);
  faults({ faults: [...odd.slice(0, MOST_SHOWN), ...told.faults], more_faults: told.more_faults + Math.max(0, odd.length - MOST_SHOWN) });
  const broken = ended.find((each) => each.status === "rejected");
  if (broken) throw broken.reason;
  if (told.not_reached > odd.length) over("It was stopped. Import the same again to go on: what is there stays.", "warn");
  else if (odd.length || told.refused || told.incomplete) over("It is done; some rows want an eye. Put them right and import the same table again.", "warn");
  else over("It is done. Every row is in the catalogue.", "good");
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (running) return;
  running = true;
  stopped = false;
  find("begin").setAttribute("aria-busy", "true");
  find("stop").hidden = false;
  for (const name of ["over", "faults"]) find(name).hidden = true;
  find("bar").removeAttribute("value");
  find("report").hidden = false;
  say("The table is read.");
  find("report").querySelector("h2").focus();
  try {
    await run();
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    over([fault.message, fault.hint].filter(Boolean).map(sentence).join(" "), "bad");
    if (find("bar").position < 0) find("bar").value = 0;
  } finally {
    running = false;
    find("begin").removeAttribute("aria-busy");
    find("stop").hidden = true;
  }
});
find("stop").addEventListener("click", () => {
  stopped = true;
  say("It stops after the rows under way.");
});
addEventListener("beforeunload", (event) => running && event.preventDefault());
