// Setting a door up: the fill painted as it is now; the door shown shut and open; what the appliance makes of
// it; saving and trying it. Every number comes from the server. The point and the area are `door-marks`.
import { ask, stillSignedIn, token } from "./asking.js";
import { marks } from "./door-marks.js";
import { sentence, toast } from "./telling.js";

const PAINT_MS = 180;
const JUDGE_MS = 700;
const STATES = { open: "Open", shut: "Shut", unsure: "Not sure" };

const root = document.querySelector("[data-door-setup]");
const part = (name) => root.querySelector(`[data-${name}]`);
const stage = part("stage");
const picture = part("picture");
const fresh = root.dataset.fresh === "yes";
const door = JSON.parse(root.dataset.door);
const shown = { shut: false, open: false };

const pictures = [];
let drawn = false;
let separation = null;
let judging = 0;
let busy = false;

const name = () => (fresh ? part("name").value.trim().toLowerCase() : door.id);
const HINT = part("name-hint")?.textContent ?? "";
const percent = (share) => `${Math.round(share * 100)} %`;

// ------------------------------------------------------------ the picture

async function paint() {
  if (document.hidden || busy) return;
  const width = Math.min(1280, Math.max(320, Math.round(stage.clientWidth * Math.min(2, devicePixelRatio))));
  let response;
  try {
    response = await fetch(root.dataset.paint, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": token() },
      body: JSON.stringify({ camera: door.camera, region: door.region, seed: door.seed, tolerance: door.tolerance, width_px: width }),
    });
  } catch {
    plate("The appliance was not reached.", "It is tried again by itself.");
    return;
  }
  if (!response.ok) {
    const { error } = await response.json().catch(() => ({ error: { message: "No picture came.", hint: "" } }));
    plate(error.message, error.hint);
    if (response.status === 401) location.reload();
    return;
  }
  if (!response.headers.get("Content-Type").startsWith("image/")) {
    const { message, hint } = await response.json();
    plate(message, hint);
    return;
  }
  pictures.push(URL.createObjectURL(await response.blob()));
  picture.src = pictures.at(-1);
  // The one before may still be being decoded.
  if (pictures.length > 2) URL.revokeObjectURL(pictures.shift());
  plate("", "");
  part("marks").hidden = false;
  part("share").textContent = percent(Number(response.headers.get("Door-Fraction")));
  part("spill").hidden = Number(response.headers.get("Door-Spills")) < 0.5;
}

async function paintOn() {
  for (;;) {
    const began = Date.now();
    await paint();
    await new Promise((done) => setTimeout(done, Math.max(40, PAINT_MS - (Date.now() - began))));
  }
}

function plate(words, hint) {
  part("plate").hidden = !words;
  part("plate-words").textContent = sentence(words);
  part("plate-hint").textContent = sentence(hint);
}

// ------------------------------------------------------------ the marks

function changed() {
  if (!shown.shut || !shown.open) return;
  clearTimeout(judging);
  judging = setTimeout(() => propose("all"), JUDGE_MS);
}

const place = marks(root, door, {
  changed,
  drawn: () => {
    drawn = true;
  },
});
part("tolerance").addEventListener("input", (event) => {
  door.tolerance = Number(event.target.value);
  changed();
});

// ------------------------------------------------------------ shut and open

for (const button of root.querySelectorAll("[data-show]")) {
  button.addEventListener("click", () => show(button.dataset.show, button));
}

async function show(state, button) {
  const badge = button.querySelector("[data-shown]");
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  badge.className = "badge accent";
  badge.textContent = "looking";
  try {
    const kept = await ask(root.dataset.look, { json: { camera: door.camera, door: setup(), state } });
    shown.shut = kept.states.includes("shut");
    shown.open = kept.states.includes("open");
    badge.className = `badge ${kept.still ? "good" : "warn"}`;
    badge.textContent = kept.still ? "shown" : "it moved: again?";
    fault("");
    if (shown.shut && shown.open) await propose(drawn ? "region" : "nothing");
  } catch (error) {
    badge.className = "badge bad";
    badge.textContent = "not seen";
    fault(error.message, error.hint);
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

/** One work at one door: what was shown stays with it, whatever the door is called later. */
function setup() {
  return fresh ? "new" : door.id;
}

async function propose(keep) {
  let found;
  busy = true;
  try {
    const { camera, region, seed, tolerance, shut_fraction, open_below, shut_above } = door;
    found = await ask(root.dataset.propose, {
      json: { camera, door: setup(), region, seed, tolerance, shut_fraction, open_below, shut_above, keep },
    });
  } catch (error) {
    verdict("bad", error.message, error.hint ? [error.hint] : []);
    separation = null;
    return;
  } finally {
    busy = false;
  }
  if (keep !== "all") {
    Object.assign(door, found.door);
    part("tolerance").value = String(door.tolerance);
    place();
  }
  separation = found.separation;
  const words = found.words.charAt(0).toUpperCase() + found.words.slice(1);
  verdict(found.usable ? (found.notes.length ? "warn" : "good") : "bad", `${words}.`, found.notes);
  part("scale").hidden = false;
  part("scale-open").style.setProperty("--at", found.opened);
  part("scale-shut").style.setProperty("--at", found.shut);
  part("scale").setAttribute("aria-label", `Open: ${percent(found.opened)} tinted at most. Shut: ${percent(found.shut)} at least.`);
  part("told-open").textContent = `open: ${percent(found.opened)} at most`;
  part("told-shut").textContent = `shut: ${percent(found.shut)} at least`;
}

function verdict(look, words, notes) {
  part("verdict").hidden = false;
  part("verdict-box").className = `notice ${look}`;
  part("verdict-words").textContent = words;
  part("scale").hidden = true;
  part("told-open").textContent = "";
  part("told-shut").textContent = "";
  part("verdict-notes").replaceChildren(
    ...notes.map((note) => {
      const item = document.createElement("li");
      item.textContent = note.charAt(0).toUpperCase() + note.slice(1);
      return item;
    }),
  );
}

// ------------------------------------------------------------ saving

function fault(message, hint = "") {
  part("fault").hidden = !message;
  part("fault-words").textContent = `${sentence(message)} ${sentence(hint)}`;
}

/** What is wrong with the door's name, at its field; empty: nothing. */
function misnamed(words) {
  const [field, hint] = [part("name"), part("name-hint")];
  if (!field) return fault(words);
  field.closest(".field").classList.toggle("wrong", Boolean(words));
  field.setAttribute("aria-invalid", words ? "true" : "false");
  hint.className = words ? "fault" : "hint";
  hint.textContent = words ? `${sentence(words)} Choose another.` : HINT;
  if (words) field.focus();
}

part("name")?.addEventListener("input", () => misnamed(""));

part("save-button").addEventListener("click", () => save(false));
part("save-anyway").addEventListener("click", () => {
  part("doubt").close();
  save(true);
});

/** Save it; where the server doubts that it works, somebody has to be sure of it. */
async function save(sure) {
  const button = part("save-button");
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    const { camera, region, seed, tolerance, shut_fraction, open_below, shut_above } = door;
    const saved = await ask(root.dataset.save, {
      json: {
        door: name(),
        fresh,
        camera,
        region,
        seed,
        tolerance,
        shut_fraction,
        open_below,
        shut_above,
        separation,
        sure,
        read_faces: root.querySelector('input[name="read_faces"]:checked')?.value ?? null,
        revision: root.dataset.revision,
        next: root.dataset.next,
      },
    });
    location.assign(saved.there);
  } catch (error) {
    const { door: named, sure: doubt, ...others } = error.fields ?? {};
    if (doubt) {
      part("doubt-words").textContent = sentence(doubt);
      part("doubt").showModal();
      button.disabled = false;
      button.removeAttribute("aria-busy");
      return;
    }
    const [first] = Object.values(others);
    const words = first ?? (named ? "" : error.message);
    misnamed(named ?? "");
    fault(words, error.hint);
    if (words) part("fault").scrollIntoView({ block: "center" });
    toast("It was not saved.");
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

// ------------------------------------------------------------ trying it

function tryOut() {
  if (!part("trial")) return;
  const events = new EventSource(root.dataset.seen);
  events.addEventListener("message", (message) => {
    const seen = JSON.parse(message.data);
    const found = seen.doors[door.id];
    part("trial-state").textContent = found ? STATES[found.state] : "No picture";
    part("trial-bar").style.setProperty("--part", found?.fraction ?? 0);
    part("trial-meter").setAttribute("aria-label", `${percent(found?.fraction ?? 0)} looks like the shut door`);
    part("trial-why").textContent = found
      ? `${percent(found.fraction)} of the watched area looks like the shut door.`
      : seen.message || "The cameras are starting with the new settings.";
  });
  events.addEventListener("error", () => events.readyState === EventSource.CLOSED && stillSignedIn());
  addEventListener("pagehide", () => events.close());
}

place();
paintOn();
tryOut();
