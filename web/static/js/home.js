// The first page as things happen: what changed is fetched again, the picture every few seconds while it is looked at.
import { listen } from "./events.js";
import { localise } from "./telling.js";

const PICTURE_MS = 3000;
const SHOWN = /^(door_|subject_identified|stranger_|person_undecided|camera_|capture_|process_|subject_|decision_)/;

const now = document.querySelector("[data-now]");
let due;

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
}

async function picture() {
  const place = now.querySelector("[data-picture]");
  if (!place || document.hidden) return;
  const image = new Image();
  image.alt = "What the camera sees";
  image.src = `${place.dataset.picture}?${Date.now()}`;
  try {
    await image.decode();
    now.querySelector("[data-picture]")?.replaceChildren(image);
  } catch {
    // No picture just now; the symbol or the last one stays.
  }
}

picture();
setInterval(picture, PICTURE_MS);
if (now.dataset.events) {
  listen(now.dataset.events, {
    message: (event) => {
      if (!SHOWN.test(event.type)) return;
      clearTimeout(due);
      due = setTimeout(refresh, 150);
    },
  }, { whileSeen: true });
}
document.addEventListener("visibilitychange", () => document.hidden || refresh());
