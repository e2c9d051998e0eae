// A function's page: its pictures, how it is, and what it publishes, as it comes.
import { ask } from "./asking.js";
import { sentence } from "./telling.js";

const EVERY_MS = 1500;
const MOST = 100;
const page = document.querySelector("[data-function]");
const part = (name) => page.querySelector(`[data-${name}]`);
const list = part("messages");
const picture = part("picture");
let newest = Number(page.dataset.newest);
let away = false;
let asking = false;

// Pictures that never end would keep the page from ever being loaded.
if (picture && !picture.hidden) window.addEventListener("load", show, { once: true });

function show() {
  picture.hidden = false;
  part("plate").hidden = true;
  if (!picture.src) picture.src = picture.dataset.src;
}

function write(element, words) {
  if (element.textContent !== String(words)) element.textContent = words;
}

function row({ at, payload }) {
  const made = document.createElement("li");
  const time = document.createElement("time");
  time.className = "muted small";
  time.dateTime = at;
  time.textContent = new Date(at).toLocaleTimeString();
  const code = document.createElement("code");
  code.textContent = payload;
  made.append(time, code);
  return made;
}

function tell({ function: one, phase, kind, messages, newest: last, dropped }) {
  write(part("phase"), phase);
  part("phase").className = `badge ${kind}`;
  part("fault").hidden = !one.fault;
  write(part("fault-words"), one.fault);
  part("frameless").hidden = !one.trouble;
  write(part("frameless-words"), one.trouble);
  part("stream").hidden = !one.stream_trouble;
  write(part("stream-words"), one.stream_trouble);
  const inferences = Object.values(one.inferences).reduce((sum, each) => sum + each, 0);
  for (const [name, value] of Object.entries({ frames: one.frames, inferences, messages: one.messages, restarts: one.restarts })) write(page.querySelector(`[data-count="${name}"]`), value);
  newest = last;
  for (const each of messages) list.prepend(row(each));
  while (list.children.length > MOST) list.lastElementChild.remove();
  part("silent").hidden = list.children.length > 0;
  part("dropped").hidden = !dropped;
  if (dropped) write(part("dropped"), `${dropped} lost: it publishes faster than is kept`);
  if (picture && one.pictures) show();
}

// Nobody knows how the function is: what is shown is from before, and that is said. It is asked again all the same,
// for the part that hosts functions starts again, and what was removed may be deployed once more.
function lose({ message, hint }) {
  away = true;
  write(part("away-words"), `${sentence(message)} ${sentence(hint)}`);
  part("away").hidden = false;
  write(part("phase"), "Not known");
  part("phase").className = "badge";
}

function comeBack() {
  away = false;
  part("away").hidden = true;
  list.replaceChildren();
  // Its pictures may have ended meanwhile; another address has them begin anew.
  if (picture?.src) picture.src = `${picture.dataset.src}?since=${Date.now()}`;
}

async function look() {
  if (asking || document.visibilityState !== "visible") return;
  asking = true;
  try {
    let told = await ask(`${page.dataset.address}?after=${away ? 0 : newest}`);
    // Numbers begin anew when the part that hosts functions does.
    const anew = told.newest < newest;
    if (anew && !away) told = await ask(`${page.dataset.address}?after=0`);
    if (away) comeBack();
    else if (anew) list.replaceChildren();
    tell(told);
  } catch (fault) {
    lose(fault);
  } finally {
    asking = false;
  }
}

setInterval(look, EVERY_MS);
document.addEventListener("visibilitychange", look);
