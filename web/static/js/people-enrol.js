// Enrolling somebody: who, their yes, pictures, done; and leaving the page in between, and coming back.
// Pictures stay in the browser but for the moment in which the appliance looks at each.
import { Fault, ask, token } from "./asking.js";
import { below, draft, fault, find, path, place, told } from "./people-draft.js";
import { forget, restore, shots, show } from "./people-shots.js";
import { close, looking } from "./people-sources.js";
import { el, sentence, symbol } from "./people-tiles.js";

const commit = find("[data-commit]");
const who = { name: "", initials: "", alias: "" };
let consent = null;

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
    draft.id = answer.draft;
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

// ------------------------------------------------------------ the end

commit.addEventListener("click", async () => {
  commit.disabled = true;
  commit.setAttribute("aria-busy", "true");
  looking(false);
  try {
    finished(await ask(below("commit"), { json: {} }));
  } catch (error) {
    commit.disabled = false;
    looking(true);
    told(error);
  } finally {
    commit.removeAttribute("aria-busy");
  }
});

function finished(answer) {
  draft.done = true;
  close();
  forget();
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
  if (draft.id && !draft.done && shots.length) event.preventDefault();
});
addEventListener("pagehide", () => {
  // Nothing waits for its quarter of an hour if the page is left; loaded again, the page asks for it in time.
  if (!draft.id || draft.done) return;
  const told = { keepalive: true, headers: { "X-CSRF-Token": token() } };
  if (performance.now() < cancelled + CANCEL_MS) {
    fetch(path(), { ...told, method: "DELETE" });
    return;
  }
  sessionStorage.setItem(KEPT, JSON.stringify({ draft: draft.id, here }));
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
    draft.id = kept.draft;
    const answer = await ask(path());
    restore(answer);
    step("photos");
    find("[data-came-back]").hidden = !answer.photos.length;
    return true;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    draft.id = null;
    return false;
  }
}

if (!(await resumed())) {
  if (place.dataset.agreed) begin();
  else step(place.dataset.to ? "consent" : "who");
}
