// A camera's own page: its picture as soon as it gives one, and until then how it is, in words.
import { ask } from "./asking.js";
import { sentence } from "./telling.js";

const EVERY_MS = 1500;
const root = document.querySelector("[data-preview]");
const picture = root.querySelector("[data-picture]");
const plate = root.querySelector("[data-plate]");
let number = 0;

function say(words, hint) {
  plate.hidden = !words;
  plate.querySelector("[data-plate-words]").textContent = words;
  plate.querySelector("[data-plate-hint]").textContent = hint;
}

async function look() {
  if (document.hidden) {
    picture.removeAttribute("src");
    return;
  }
  let camera = null;
  try {
    const { cameras } = await ask(root.dataset.states);
    camera = cameras.find((each) => each.id === root.dataset.camera) ?? null;
  } catch (fault) {
    say(fault.message, fault.hint);
    picture.removeAttribute("src");
    return;
  }
  if (camera?.state === "ok") {
    say("", "");
    if (!picture.hasAttribute("src")) {
      number += 1;
      picture.src = `${root.dataset.address}?${number}`;
    }
  } else {
    picture.removeAttribute("src");
    const words = camera?.message ?? "The cameras are being started.";
    say(sentence(words), sentence(camera?.hint));
  }
}

picture.addEventListener("error", () => picture.removeAttribute("src"));
addEventListener("pagehide", () => picture.removeAttribute("src"));
look();
setInterval(look, EVERY_MS);
