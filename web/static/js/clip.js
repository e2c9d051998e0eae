// The page of one clip: where it is played from, the moments in it, and the time that stands in the address.
import { Player } from "./player.js";
import { ask } from "./asking.js";
import { clockOf, sentence } from "./telling.js";

const page = document.querySelector("[data-clip]");
const stage = page.querySelector("[data-player]");
const sources = [...page.querySelectorAll("[data-source]")];
const moments = [...page.querySelectorAll("[data-seek]")];
const begin = Number(page.dataset.begin);
const wanted = page.dataset.at ? Number(page.dataset.at) : null;

const player = new Player(stage, { vendor: page.dataset.vendor, clock: (ms) => clockOf(ms, Number(page.dataset.zone)), onTime: mark });

/** Which of the moments is shown now. */
function mark(now) {
  const passed = moments.findLast((each) => Number(each.dataset.seek) <= now + 250);
  for (const each of moments) {
    if (each === passed) each.setAttribute("aria-current", "true");
    else each.removeAttribute("aria-current");
  }
}

/** From the box or from the service: the same player, the same second. */
async function choose(button, at, play) {
  for (const each of sources) each.setAttribute("aria-pressed", String(each === button));
  let playlist = button.dataset.source;
  if ("opened" in button.dataset) {
    player.stop("Asking Kinesis Video Streams …");
    try {
      ({ playlist } = await ask(playlist, { method: "POST" }));
    } catch (fault) {
      player.stop(`${sentence(fault.message)} ${sentence(fault.hint)}`.trim());
      return;
    }
    if (button.getAttribute("aria-pressed") !== "true") return;
  }
  player.open(playlist, { begin, at, play });
}

for (const each of sources) {
  each.addEventListener("click", () => choose(each, stage.dataset.now ? Number(stage.dataset.now) : wanted, true));
}
for (const each of moments) {
  each.addEventListener("click", (event) => {
    event.preventDefault();
    const at = Number(each.dataset.seek);
    player.seek(at);
    player.video.play().catch(() => undefined);
    history.replaceState(null, "", `?at=${at}`);
    player.video.focus({ preventScroll: false });
  });
}
if (sources.length) choose(sources.find((each) => each.getAttribute("aria-pressed") === "true") ?? sources[0], wanted, wanted !== null);
