// The pictures of an enrolment: each is looked at by the appliance, which with every answer says of them all
// how they stand. What is asked about them is answered here.
import { Fault, ask } from "./asking.js";
import { below, draft, ended, fault, find, told } from "./people-draft.js";
import { sentence, tile } from "./people-tiles.js";

const MOST_BYTES = 25_000_000;
const AT_ONCE = 2;

export const shots = [];
const said = find("[data-said]");
const tiles = find("[data-tiles]");
const commit = find("[data-commit]");
const waiting = [];
let running = 0;
let counted = 0;

/** What the appliance says of all of them. */
export function show(answer) {
  draft.name = answer.name;
  draft.to = answer.to;
  for (const photo of answer.photos) {
    const shot = shots.find((each) => each.id === photo.photo);
    if (shot) shot.photo = photo;
  }
  render();
}

function render() {
  const focused = document.activeElement?.dataset?.focus;
  tiles.replaceChildren(...shots.map((shot) => tile(shot, draft.name, answers)));
  if (focused) tiles.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  const good = shots.filter((shot) => shot.photo?.verdict === "accepted").length;
  const open = shots.filter((shot) => shot.photo?.verdict === "question").length;
  const pending = shots.filter((shot) => !shot.photo && !shot.words).length;
  find("[data-photos-title]").textContent = `Pictures of ${draft.name}`;
  commit.textContent = draft.to ? `Add to ${draft.name}` : `Enrol ${draft.name}`;
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

function begun(label, url) {
  counted += 1;
  const shot = { key: String(counted), label: label(counted), url, id: null, photo: null, words: "" };
  shots.push(shot);
  return shot;
}

/** A picture that the browser has. */
export function add(content, label, origin) {
  const shot = begun(() => label, URL.createObjectURL(content));
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

/** A picture that a camera of the appliance takes. */
export async function snapshot(camera) {
  const shot = begun((number) => `Door picture ${number}`, null);
  render();
  await judged(shot, async () => {
    const answer = await ask(below("snapshot"), { json: { camera } });
    const bytes = Uint8Array.from(atob(answer.picture), (each) => each.charCodeAt(0));
    shot.url = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
    return answer;
  });
}

/** What was found before this page was loaded again. The pictures themselves went with the page that had them. */
export function restore(answer) {
  for (const photo of answer.photos) begun((number) => `Picture ${number}, from before`, null).id = photo.photo;
  show(answer);
}

/** Let go of the pictures. */
export function forget() {
  for (const shot of shots) if (shot.url) URL.revokeObjectURL(shot.url);
}
