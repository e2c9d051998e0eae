// Coffees as they are taken: when one is, or is put right, the page is asked for anew and its parts are replaced.
// A form that somebody has opened stays as it is until they are done with it.
import { follow } from "./line.js";
import { localise } from "./telling.js";

const PAUSE_MS = 150;
let timer = null;
let busy = false;
let again = false;

document.addEventListener("toggle", (event) => event.target.matches?.(".coffee-mend[open]") && fill(event.target), true);
for (const each of document.querySelectorAll(".coffee-mend[open]")) fill(each);
document.addEventListener("visibilitychange", () => !document.hidden && again && due());
follow("/events", { message: heard }, { onLine: (alive) => alive && due() });
// Whatever day it is now: a day, a week, a month ends without a coffee.
setInterval(due, 60_000);

function heard(event) {
  if (/^(coffee|consent|subject)_/.test(event.type)) due();
}

function due() {
  timer ??= setTimeout(async () => {
    timer = null;
    if (busy || document.hidden) {
      again = true;
      return;
    }
    busy = true;
    again = false;
    await renew().catch(() => undefined);
    busy = false;
    if (again) due();
  }, PAUSE_MS);
}

async function renew() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin", redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("[data-renewed]")) {
    const fresh = page.querySelector(`[data-renewed="${old.dataset.renewed}"]`);
    if (!fresh || fresh.innerHTML === old.dataset.was) continue;
    if (old.querySelector("details[open]") || old.contains(document.activeElement)) {
      again = true;
      continue;
    }
    // Two people may look alike: their rows' keys do not.
    const counts = new Map([...old.querySelectorAll(".coffee-place")].map((each) => [who(each), count(each)]));
    const was = fresh.innerHTML;
    old.replaceWith(fresh);
    fresh.dataset.was = was;
    localise(fresh);
    const places = [...fresh.querySelectorAll(".coffee-place")];
    // After midnight, or a restart, all keys are others: then nobody is new.
    const comparable = places.some((each) => counts.has(who(each)));
    for (const each of places) {
      each.classList.toggle("fresh", comparable && counts.get(who(each)) !== count(each));
    }
  }
}

/** Everybody whose coffee it may have been: they are on the page once, and here as soon as somebody asks. */
function fill(mend) {
  const select = mend.querySelector("select[name=person]");
  const everybody = document.querySelector("#added");
  if (!everybody || "filled" in select.dataset) return;
  select.dataset.filled = "";
  const chosen = select.value;
  for (const { value } of [...select.options].slice(1)) select.querySelector(`option[value="${CSS.escape(value)}"]`).remove();
  select.append(...[...everybody.options].map((option) => new Option(option.text, option.value)));
  select.value = chosen;
  // Whoever does not agree any more is not among them.
  if (select.selectedIndex < 0) select.selectedIndex = 0;
}

function who(place) {
  return place.dataset.key;
}

function count(place) {
  return place.querySelector(".coffee-count").textContent;
}
