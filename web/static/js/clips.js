// The list of clips: how recording and sending go is asked for again while the page is looked at.
import { localise } from "./telling.js";

const EVERY_MS = 5000;
const place = document.querySelector("[data-state]");

async function look() {
  if (document.visibilityState !== "visible") return;
  try {
    const response = await fetch(place.dataset.state, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!response.ok) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    // A screen reader is told of what has changed alone, and a link that has the focus keeps it.
    localise(fresh.body);
    if (fresh.body.textContent === place.textContent || place.contains(document.activeElement)) return;
    place.replaceChildren(...fresh.body.childNodes);
  } catch {
    // It is asked again soon.
  }
}

setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
