// Enrolling somebody: who, their yes, pictures, done. Pictures stay in the browser but for the moment in which
// the appliance looks at each; what it says of them all comes with every answer.
import { Fault, ask, token } from "./asking.js";
import { el, sentence, symbol, tile } from "./people-tiles.js";
import { webcam } from "./webcam.js";

const MOST_BYTES = 25_000_000;
const AT_ONCE = 2;

const place = document.querySelector("[data-enrol]");
const find = (what) => place.querySelector(what);
const said = find("[data-said]");
const tiles = find("[data-tiles]");
const commit = find("[data-commit]");
const who = { name: place.dataset.name };
const shots = [];
let consent = null;
let draft = null;
let target = null;
let counted = 0;
let done = false;
const waiting = [];
let running = 0;

const path = (...more) => ["/people/enrol", draft, ...more].filter(Boolean).map((each, at) => (at ? encodeURIComponent(each) : each)).join("/");
const below = (...more) => `${path()}/${more.map(encodeURIComponent).join("/")}`;

// ------------------------------------------------------------ steps

function step(name) {
  for (const each of place.querySelectorAll("[data-step]")) each.hidden = each.dataset.step !== name;
  let before = true;
  for (const each of place.querySelectorAll("[data-mark]")) {
    const here = each.dataset.mark === name;
    if (here) before = false;
    each.toggleAttribute("data-done", name === "done" || (before && !here));
    if (here) each.setAttribute("aria-current", "step");
    else each.removeAttribute("aria-current");
  }
  fault("");
  const shown = find(`[data-step="${name}"]`);
  const first = name === "who" || name === "consent" ? shown.querySelector('input:not([type="checkbox"])') : null;
  (first ?? shown.querySelector("h2")).focus();
}

function fault(words) {
  find("[data-fault]").hidden = !words;
  find("[data-fault-words]").textContent = words;
}

function told(error) {
  if (!(error instanceof Fault)) throw error;
  const words = Object.values(error.fields);
  fault((words.length ? words : [error.message, error.hint]).filter(Boolean).map(ended).join(" "));
  find("[data-fault]").scrollIntoView({ block: "nearest" });
}

const ended = (words) => (/[.!?]$/.test(words) ? sentence(words) : `${sentence(words)}.`);

find('[data-step="who"]')?.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = new FormData(event.target);
  for (const key of ["name", "initials", "alias"]) who[key] = given.get(key).trim();
  if (!who.name) return;
  step("consent");
});

find("[data-back]")?.addEventListener("click", (event) => step(event.target.dataset.back));

const form = find('[data-step="consent"]');
for (const each of form?.querySelectorAll("[data-needed]") ?? []) {
  // Without it nobody is enrolled: unticked, it says so instead of going on.
  each.addEventListener("change", () => {
    each.setCustomValidity(each.checked ? "" : "Nobody is enrolled without this one.");
  });
}
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = new FormData(form);
  consent = { purposes: given.getAll("purposes"), text_version: place.dataset.version, given_by: given.get("given_by") };
  begin();
});

async function begin({ to = place.dataset.to, namesake = false } = {}) {
  const how = to ? { to } : { name: who.name, initials: who.initials || null, alias: who.alias || null, namesake };
  try {
    const answer = await ask("/people/enrol", { json: consent ? { ...how, consent } : how });
    if (!answer.draft) return namesakes(answer.namesakes);
    draft = answer.draft;
    show(answer);
    step("photos");
  } catch (error) {
    if (error instanceof Fault && (error.fields.name || error.fields.initials || error.fields.alias)) step("who");
    told(error);
  }
}

function namesakes(found) {
  const dialog = find("[data-namesakes]");
  find("[data-namesake-list]").replaceChildren(
    ...found.map((each) => {
      const words = el("span", {}, el("strong", {}, each.name), ` · ${each.references} picture${each.references === 1 ? "" : "s"}`);
      const same = el("button", { class: "button", type: "button" }, `It is this ${each.name}`);
      same.addEventListener("click", () => {
        dialog.close();
        begin({ to: each.id });
      });
      return el("li", {}, words, same);
    }),
  );
  dialog.showModal();
}

find("[data-another]").addEventListener("click", () => {
  find("[data-namesakes]").close();
  begin({ namesake: true, to: "" });
});

// ------------------------------------------------------------ pictures

/** What the appliance says of all of them. */
function show(answer) {
  who.name = answer.name;
  target = answer.to;
  for (const photo of answer.photos) {
    const shot = shots.find((each) => each.id === photo.photo);
    if (shot) shot.photo = photo;
  }
  render();
}

function render() {
  const focused = document.activeElement?.dataset?.focus;
  tiles.replaceChildren(...shots.map((shot) => tile(shot, who.name, answers)));
  if (focused) tiles.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  const good = shots.filter((shot) => shot.photo?.verdict === "accepted").length;
  const open = shots.filter((shot) => shot.photo?.verdict === "question").length;
  const pending = shots.filter((shot) => !shot.photo && !shot.words).length;
  find("[data-photos-title]").textContent = `Pictures of ${who.name}`;
  commit.textContent = target ? `Add to ${who.name}` : `Enrol ${who.name}`;
  commit.disabled = !good || pending > 0;
  find("[data-summary]").textContent = summary(good, open, pending);
}

function summary(good, open, pending) {
  if (pending) return `Looking at ${pending} picture${pending === 1 ? "" : "s"}.`;
  if (open === 1) return "One picture asks something. Unanswered, it is left out.";
  if (open) return `${open} pictures ask something. Unanswered, they are left out.`;
  if (!good) return "Three pictures do best: straight, a little left, a little right.";
  const words = good === 1 ? "One picture is good." : `${good} pictures are good.`;
  return good < 3 ? `${words} Three do best; more of other days can follow.` : `${words} That is enough.`;
}

function add(content, label, origin) {
  counted += 1;
  const shot = { key: String(counted), label, url: URL.createObjectURL(content), id: null, photo: null, words: "" };
  shots.push(shot);
  if (content.size > MOST_BYTES) {
    shot.words = "The file is larger than 25 MB. A copy 2,000 pixels wide is plenty.";
    render();
    return Promise.resolve(shot);
  }
  render();
  return queued(async () => {
    const body = new FormData();
    body.append("origin", origin);
    body.append("photo", content, "picture");
    await judged(shot, () => ask(below("photos"), { body }));
    return shot;
  });
}

/** Have a picture looked at; what is wrong with asking is said on its tile. */
async function judged(shot, asking) {
  try {
    const answer = await asking();
    shot.id = answer.added;
    show(answer);
    said.textContent = `${shot.label}: ${shot.photo.verdict === "accepted" ? "good" : sentence(shot.photo.words)}`;
    return answer;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    shot.words = error.status === 413 ? "The file is too large." : [error.message, error.hint].filter(Boolean).map(ended).join(" ");
    said.textContent = `${shot.label}: ${shot.words}`;
    render();
    return null;
  }
}

/** A few at a time, in order. */
function queued(work) {
  return new Promise((resolve, reject) => {
    waiting.push(() => work().then(resolve, reject));
    next();
  });
}

function next() {
  if (running >= AT_ONCE || !waiting.length) return;
  running += 1;
  waiting
    .shift()()
    .finally(() => {
      running -= 1;
      next();
    });
}

function addFiles(files) {
  for (const file of files) add(file, file.name || "Pasted picture", "photo");
}

async function answered(asking) {
  fault("");
  try {
    show(await asking());
  } catch (error) {
    told(error);
  }
}

const answers = {
  async drop(shot) {
    shots.splice(shots.indexOf(shot), 1);
    if (shot.url) URL.revokeObjectURL(shot.url);
    render();
    find("[data-files]").focus();
    if (shot.id) await answered(() => ask(below("photos", shot.id), { method: "DELETE" }));
  },
  face(shot, face) {
    return answered(() => ask(below("photos", shot.id, "face"), { json: { face } }));
  },
  /** That they are alike is known of the person, so of each picture of them. */
  async known(shot, although) {
    const reason = although === "alike" ? "LOOKS_LIKE" : "DOES_NOT_MATCH";
    const asking = although === "alike" ? shots.filter((each) => each.photo?.reasons.some(({ code }) => code === reason)) : [shot];
    for (const each of asking) await answered(() => ask(below("photos", each.id, "answer"), { json: { although, known: true } }));
  },
  addTo(person) {
    return answered(() => ask(below("add-to"), { json: { person: person.subject } }));
  },
};

const drop = find("[data-drop]");
find("[data-files]").addEventListener("change", (event) => {
  addFiles(event.target.files);
  event.target.value = "";
});
for (const name of ["dragenter", "dragover"]) {
  addEventListener(name, (event) => {
    if (!draft || done) return;
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) addEventListener(name, () => drop.classList.remove("over"));
addEventListener("drop", (event) => {
  if (!draft || done) return;
  event.preventDefault();
  addFiles(event.dataTransfer.files);
});
addEventListener("paste", (event) => {
  if (draft && !done) addFiles([...event.clipboardData.files].filter((each) => each.type.startsWith("image/")));
});

const panel = find("[data-webcam]");
const cam = webcam(
  panel,
  async (picture) => {
    const shot = await add(picture, `Webcam picture ${shots.length + 1}`, "webcam");
    if (!shot.photo) return { accepted: false, words: shot.words };
    const { verdict, words, advice } = shot.photo;
    return { accepted: verdict !== "refused", words: `${sentence(words)}. ${sentence(advice)}` };
  },
  async (picture) => {
    try {
      const answer = await ask(below("look"), { body: picture, signal: AbortSignal.timeout(4000) });
      return answer.busy ? null : answer;
    } catch {
      return null; // The page has measures of its own, and asks again.
    }
  },
);
find("[data-webcam-open]").addEventListener("click", async () => {
  fault("");
  try {
    await cam.open();
  } catch (error) {
    cam.end();
    fault(error.name === "NotAllowedError" ? "The browser was not allowed to use the webcam. Allow it beside the address, then try again." : error.name === "NotFoundError" ? "This device has no webcam. Choose files, or use the door camera." : error.message);
  }
});
find("[data-webcam-close]").addEventListener("click", () => {
  cam.end();
  find("[data-webcam-open]").focus();
});

find("[data-snapshot]")?.addEventListener("click", async (event) => {
  const button = event.currentTarget;
  button.setAttribute("aria-busy", "true");
  counted += 1;
  const shot = { key: String(counted), label: `Door picture ${counted}`, url: null, id: null, photo: null, words: "" };
  shots.push(shot);
  render();
  await judged(shot, async () => {
    const answer = await ask(below("snapshot"), { json: { camera: find("[data-camera]").value } });
    const bytes = Uint8Array.from(atob(answer.picture), (each) => each.charCodeAt(0));
    shot.url = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
    return answer;
  });
  button.removeAttribute("aria-busy");
});

// ------------------------------------------------------------ the end

commit.addEventListener("click", async () => {
  commit.disabled = true;
  commit.setAttribute("aria-busy", "true");
  try {
    finished(await ask(below("commit"), { json: {} }));
  } catch (error) {
    commit.disabled = false;
    told(error);
  } finally {
    commit.removeAttribute("aria-busy");
  }
});

function finished(answer) {
  done = true;
  cam.end();
  for (const shot of shots) if (shot.url) URL.revokeObjectURL(shot.url);
  const { person, safety } = answer;
  const pictures = answer.added === 1 ? "1 picture" : `${answer.added} pictures`;
  find("[data-done-title]").textContent = answer.new ? `${person.name} is enrolled` : `${pictures} added`;
  find("[data-done-words]").textContent = answer.new
    ? `With ${pictures}. The door knows ${person.name} within a second.`
    : `${person.name} has ${person.references} now.`;
  find("[data-promise] p").textContent = `${sentence(safety.promise)}.`;
  find("[data-concerns]").replaceChildren(
    ...safety.concerns.map((words) => el("div", { class: "notice warn" }, symbol("warning"), el("p", {}, `${sentence(words)}.`))),
  );
  find("[data-profile]").href = `/people/${encodeURIComponent(person.id)}`;
  for (const each of document.querySelectorAll("[data-under-way]")) each.hidden = true;
  step("done");
}

// ------------------------------------------------------------ leaving, and coming back

const KEPT = "enrolment";
const CANCEL_MS = 15_000;
const here = location.pathname + location.search;
let cancelled = -CANCEL_MS;

addEventListener("beforeunload", (event) => {
  if (draft && !done && shots.length) event.preventDefault();
});
addEventListener("pagehide", () => {
  // Nothing waits for its quarter of an hour if the page is left; loaded again, the page asks for it in time.
  if (!draft || done) return;
  const told = { keepalive: true, headers: { "X-CSRF-Token": token() } };
  if (performance.now() < cancelled + CANCEL_MS) {
    fetch(path(), { ...told, method: "DELETE" });
    return;
  }
  sessionStorage.setItem(KEPT, JSON.stringify({ draft, here }));
  fetch(below("leave"), { ...told, method: "POST" });
});
// Only the wish is noted: asked whether to leave, one may still stay.
document.querySelector("[data-cancel]").addEventListener("click", () => (cancelled = performance.now()));

/** Go on with what this tab had before it was loaded again; whether there was something. */
async function resumed() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  sessionStorage.removeItem(KEPT);
  if (kept?.here !== here) return false;
  try {
    draft = kept.draft;
    const answer = await ask(path());
    // The pictures themselves stayed in the page that is gone; what was found in them did not.
    for (const photo of answer.photos) {
      counted += 1;
      shots.push({ key: String(counted), label: `Picture ${counted}, from before`, url: null, id: photo.photo, photo, words: "" });
    }
    show(answer);
    step("photos");
    return true;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    draft = null;
    return false;
  }
}

if (!(await resumed())) {
  if (place.dataset.agreed) begin();
  else step(place.dataset.to ? "consent" : "who");
}
