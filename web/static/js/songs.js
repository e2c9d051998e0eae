// The page of songs: hearing them here, the volume as it is moved, and what the box plays now.
import { ask } from "./asking.js";
import { listening } from "./songs-listen.js";
import { toast } from "./telling.js";

const EVERY_MS = 3000;

listening(() => toast("That could not be played here.", { kind: "warn" }));

const volume = document.querySelector("[data-volume]");
const slider = volume?.querySelector("input[type=range]");
if (slider) {
  const told = volume.querySelector("[data-volume-told]");
  volume.querySelector("[data-volume-save]")?.setAttribute("hidden", "");
  slider.addEventListener("input", () => (told.textContent = slider.value));
  slider.addEventListener("change", async () => {
    const body = new FormData(volume);
    try {
      await ask(volume.getAttribute("action"), { body });
    } catch (fault) {
      toast(fault.message, { kind: "warn" });
    }
  });
}

const card = document.querySelector("[data-now]");
const part = (name) => card.querySelector(`[data-now-${name}]`);

function write(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function show({ there, song, waiting, trouble }) {
  const titles = JSON.parse(card.dataset.titles);
  const more = waiting.length ? `, ${waiting.length} waiting` : "";
  write(part("state"), there ? (song ? "Playing" : "Quiet") : "Not running");
  part("state").classList.toggle("good", Boolean(song));
  const words = song ? `${titles[song] ?? "A song"}${more}` : there ? "Nothing is playing." : "Nothing that plays songs runs just now.";
  write(part("words"), words);
  part("trouble").hidden = !trouble;
  write(part("why"), trouble);
}

async function look() {
  if (document.visibilityState !== "visible") return;
  try {
    show(await ask("/songs/now"));
  } catch {
    // Asked again soon.
  }
}

setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
