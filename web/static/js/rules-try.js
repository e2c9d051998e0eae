// A rule that is tried: what becomes of each of its actions, until all have ended.
import { ask } from "./asking.js";

const EVERY_MS = 700;
const LONGEST_MS = 120_000;
const place = document.querySelector("[data-trial]");

if (place && !("done" in place.dataset)) follow(performance.now() + LONGEST_MS);

async function follow(until) {
  for (const each of document.querySelectorAll("[data-without-script]")) each.hidden = true;
  while (performance.now() < until) {
    await new Promise((go) => setTimeout(go, EVERY_MS));
    if (document.hidden) continue;
    let found;
    try {
      found = await ask(place.dataset.trial);
    } catch {
      continue; // the appliance may be starting again; what it did stands there then
    }
    const fresh = new DOMParser().parseFromString(found.html, "text/html").body;
    // What is the same is left alone: it would be read aloud again.
    [...fresh.children].forEach((each, i) => {
      if (place.children[i]?.outerHTML !== each.outerHTML) place.children[i]?.replaceWith(each);
    });
    if (found.done) return;
  }
  for (const each of document.querySelectorAll("[data-without-script]")) each.hidden = false;
}
