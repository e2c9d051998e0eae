// How searching goes: numbers and work under way, asked for again while the page is seen.
import { ask } from "./asking.js";
import { sentence } from "./telling.js";

const EVERY_MS = 1500;
const root = document.querySelector("[data-how]");
const works = root.querySelector("[data-works]");
let worked = !works.hidden;

function line(work) {
  const made = document.createElement("li");
  made.className = "stack tight";
  const words = document.createElement("p");
  words.textContent = work.total ? `${work.doing}: ${work.done.toLocaleString()} of ${work.total.toLocaleString()}` : work.doing;
  const bar = document.createElement("progress");
  bar.className = "progress";
  bar.setAttribute("aria-label", "How far it is");
  if (work.total) [bar.max, bar.value] = [work.total, work.done];
  made.append(words, bar);
  if (work.words) {
    const why = document.createElement("p");
    why.className = "small muted";
    why.textContent = sentence(work.words);
    made.append(why);
  }
  return made;
}

async function look() {
  if (document.hidden) return;
  const state = await ask(root.dataset.how).catch(() => null);
  if (!state?.there) return;
  for (const name of ["items", "pictures", "indexed"]) root.querySelector(`[data-${name}]`).textContent = state[name].toLocaleString();
  works.hidden = !state.work.length;
  root.querySelector("[data-work-list]").replaceChildren(...state.work.map(line));
  // What came of it (a threshold, a network) stands in the page: it is loaded anew once that is known.
  if (worked && !state.work.length && !root.contains(document.activeElement)) location.reload();
  worked = state.work.length > 0;
}

setInterval(look, EVERY_MS);
