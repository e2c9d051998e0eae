// The log stays up to date by itself: when something happens, the page is asked for anew and what changed
// is put in its place. What the reader has focused or opened stays as it is.
import { follow as hear } from "./line.js";
import { localise } from "./telling.js";

const PAUSE_MS = 700;
const place = document.getElementById("log-entries");

if (place && "live" in place.dataset) follow();

function follow() {
  let timer = null;
  let busy = false;
  let again = false;
  const due = () => {
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
  };
  document.addEventListener("visibilitychange", () => !document.hidden && again && due());
  hear("/events", { message: due }, { onLine: (alive) => alive && due() });
}

async function renew() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin", redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("log-entries");
  const lead = page.querySelector(".page-head .lead");
  if (!fresh) return;
  const known = new Set([...place.querySelectorAll("[data-newest]")].map((each) => each.id));
  mend(place, fresh);
  if (lead) document.querySelector(".page-head .lead")?.replaceWith(lead);
  for (const each of place.querySelectorAll("[data-newest]")) each.classList.toggle("fresh", !known.has(each.id));
  localise(place);
}

/** Make the children of `old` those of `new_`, keeping each that is the same: its focus stays where it was. */
function mend(old, new_) {
  const kept = new Map([...old.children].filter((each) => each.id).map((each) => [each.id, each]));
  const wanted = [...new_.children].map((each) => {
    const before = kept.get(each.id);
    if (!before || before.tagName !== each.tagName) return each;
    if ("newest" in each.dataset) {
      if (before.dataset.newest === each.dataset.newest) return before;
      return before.contains(document.activeElement) ? before : each;
    }
    const [list, newer] = [inner(before), inner(each)];
    if (list && newer) {
      const head = [...newer.parentElement.children].filter((part) => part !== newer);
      const shown = [...list.parentElement.children].filter((part) => part !== list);
      if (head.length === shown.length) head.forEach((part, i) => shown[i].replaceWith(part));
      mend(list, newer);
      return before;
    }
    return each;
  });
  for (const each of [...old.children]) if (!wanted.includes(each)) each.remove();
  wanted.forEach((each, i) => {
    if (old.children[i] !== each) old.insertBefore(each, old.children[i] ?? null);
  });
}

/** The list inside a day or a visit. */
function inner(of) {
  return of.querySelector(":scope > ol");
}
