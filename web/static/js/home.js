// The first page as things happen: what changed is fetched again, the picture every few seconds while it is looked at.
import { follow } from "./line.js";
import { localise } from "./telling.js";

const PICTURE_MS = 3000;
const SHOWN = /^(door_|subject_identified|stranger_|person_undecided|camera_|capture_|process_|subject_|decision_)/;

const now = document.querySelector("[data-now]");
const MISSED = 3;

let due;
let down = false;
let missed = 0;
let asking = false;

async function refresh() {
  try {
    const response = await fetch(now.dataset.now, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const kept = now.querySelector("[data-picture] img");
    now.replaceChildren(...fresh.body.childNodes);
    localise(now);
    show(kept);
  } catch {
    // The next event, or the next look at the page, tries again.
  }
}

function show(kept) {
  const place = now.querySelector("[data-picture]");
  if (!place) return;
  if (kept) place.replaceChildren(kept);
  else picture();
  caption();
}

/** What the picture is: live, of before, or none. */
function caption() {
  if (!now.querySelector("[data-picture]")) return;
  const words = now.querySelector("[data-live-words]");
  const said = missed >= MISSED ? "No picture" : down ? "Connecting again" : "Live";
  if (words.textContent !== said) words.textContent = said;
  now.querySelector("[data-live-dot]").className = `dot ${said === "Live" ? "good" : "warn"}`;
}

async function picture() {
  const place = now.querySelector("[data-picture]");
  if (!place || document.hidden || asking) return;
  asking = true;
  const image = new Image();
  image.alt = "What the camera sees";
  image.src = `${place.dataset.picture}?${Date.now()}`;
  try {
    await image.decode();
    now.querySelector("[data-picture]")?.replaceChildren(image);
    missed = 0;
  } catch {
    // No picture just now; the last one stays for a while, then it would be taken for the present.
    missed += 1;
    if (missed >= MISSED) now.querySelector("[data-picture] img")?.remove();
  } finally {
    asking = false;
  }
  caption();
}

picture();
setInterval(picture, PICTURE_MS);
if (now.dataset.events) {
  follow(now.dataset.events, {
    message: (event) => {
      if (!SHOWN.test(event.type)) return;
      clearTimeout(due);
      due = setTimeout(refresh, 150);
    },
  }, {
    onLine: (alive) => alive && refresh(),
    onDown: (is) => {
      down = is;
      caption();
    },
  });
}
document.addEventListener("visibilitychange", () => document.hidden || refresh());
