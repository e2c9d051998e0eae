// Visual search: the camera's picture, what was found as cards (each once, the newest first), and asking by a picture.
import { Fault, ask } from "./asking.js";
import { follow } from "./line.js";
import { card, el } from "./search-cards.js";
import { sentence } from "./telling.js";

const MOST_CARDS = 24;
const STATE_MS = 3000;
const SAID_MS = 8000;
const root = document.querySelector("[data-search]");
const find = (name) => root.querySelector(`[data-${name}]`);
const list = find("found");
const eye = find("eye");
const shown = new Set();
let saying = 0;

// ------------------------------------------------------------ what is found

function found(told) {
  // After a broken line some may be told again; nobody sees one twice.
  if (shown.has(told.key)) return;
  shown.add(told.key);
  if (!told.known) {
    if (told.name === eye?.dataset.camera) say("Nothing like it in the catalogue.", "warn");
    return;
  }
  if (told.name === eye?.dataset.camera) say(`Found: ${told.matches[0].title}`, "good");
  const item = el("li", "fresh", card(told));
  item.dataset.key = told.key;
  list.prepend(item);
  find("none").hidden = true;
  while (list.children.length > MOST_CARDS) list.lastElementChild.remove();
}

function say(words, look) {
  if (!eye) return;
  const before = (find("says-words").dataset.usual ??= find("says-words").textContent);
  clearTimeout(saying);
  find("says-words").textContent = words;
  find("says-dot").className = `dot ${look}`;
  saying = setTimeout(() => {
    find("says-words").textContent = before;
    find("says-dot").className = "dot";
  }, SAID_MS);
}

// ------------------------------------------------------------ asking

function answer(told, picture) {
  const asked = find("asked");
  let seen = null;
  if (picture) {
    seen = el("img");
    seen.src = picture;
    seen.alt = "The picture that you asked with";
  }
  find("asked-title").textContent = told.known ? "Like your picture" : "Your picture";
  if (!picture) find("asked-title").textContent = "What the camera saw";
  find("asked-answer").replaceChildren(card(told, { shown: seen ?? el("span") }));
  asked.hidden = false;
  find("asked-title").focus();
}

function trouble(fault) {
  if (!(fault instanceof Fault)) throw fault;
  const notice = el("div", "notice bad", el("p", "", [fault.message, fault.hint].filter(Boolean).map(sentence).join(" ")));
  notice.setAttribute("role", "alert");
  find("asked-title").textContent = "That did not work";
  find("asked-answer").replaceChildren(notice);
  find("asked").hidden = false;
}

let address = "";

async function askBy(file) {
  if (!file) return;
  const drop = find("drop");
  drop.setAttribute("aria-busy", "true");
  const body = new FormData();
  body.set("file", file, "picture");
  try {
    const told = await ask(root.dataset.ask, { body });
    URL.revokeObjectURL(address);
    address = URL.createObjectURL(file);
    answer(told, address);
  } catch (fault) {
    trouble(fault);
  } finally {
    drop.removeAttribute("aria-busy");
  }
}

function sources() {
  const drop = find("drop");
  find("file").addEventListener("change", (event) => {
    askBy(event.target.files[0]);
    event.target.value = "";
  });
  for (const name of ["dragenter", "dragover"]) {
    addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) addEventListener(name, () => drop.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    askBy(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => {
    askBy([...event.clipboardData.files].find((each) => each.type.startsWith("image/")));
  });
  find("asked-close").addEventListener("click", () => {
    find("asked").hidden = true;
    find("file").focus();
  });
  find("now")?.addEventListener("click", async (event) => {
    const button = event.currentTarget;
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      answer(await ask(eye.dataset.cameraAsk, { method: "POST" }), "");
    } catch (fault) {
      trouble(fault);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

// ------------------------------------------------------------ the camera's picture

let number = 0;

function look() {
  if (document.hidden) return;
  number += 1;
  find("picture").src = `${eye.dataset.live}?${number}`;
}

function watch() {
  const picture = find("picture");
  const end = () => picture.removeAttribute("src");
  picture.addEventListener("load", () => (find("plate").hidden = true));
  picture.addEventListener("error", () => {
    if (!picture.hasAttribute("src")) return;
    end();
    find("plate").hidden = false;
    find("plate-words").textContent = "The picture was lost. It is tried again by itself.";
    setTimeout(look, 2000);
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : look()));
  addEventListener("pagehide", end);
  addEventListener("pageshow", (event) => event.persisted && look());
  look();
}

// ------------------------------------------------------------ how it goes

async function state() {
  if (document.hidden) return;
  const told = await ask(root.dataset.state).catch(() => null);
  if (!told) return;
  // Switched on, filled, or gone: the page is another then.
  if (Boolean(root.dataset.there) !== told.there || (told.there && Boolean(told.items) !== Boolean(list))) {
    location.reload();
    return;
  }
  if (!told.there) return;
  find("trouble").hidden = !told.trouble;
  find("trouble-words").textContent = sentence(told.trouble);
  find("trouble-hint").textContent = sentence(told.hint);
  lost(told.sources.find((each) => each.source === "camera" && each.name === eye?.dataset.camera));
  const [work] = told.work;
  find("work").hidden = !work;
  if (!work) return;
  find("work-words").textContent = work.total ? `${work.doing}: ${work.done.toLocaleString()} of ${work.total.toLocaleString()}` : work.doing;
  if (work.total) [find("work-bar").max, find("work-bar").value] = [work.total, work.done];
  else find("work-bar").removeAttribute("value");
}

/** Why the camera whose picture is shown gives nothing to look up; nothing is said while it is watched. */
function lost(source) {
  if (!eye) return;
  const words = source && source.state !== "watching" ? sentence(source.words) : "";
  find("lost").hidden = !words;
  if (find("lost-words").textContent !== words) find("lost-words").textContent = words;
}

if (list) {
  sources();
  follow(root.dataset.stream, { found, away: state });
}
if (eye) watch();
setInterval(state, STATE_MS);
