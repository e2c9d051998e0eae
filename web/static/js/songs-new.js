// Adding a song: the file is decoded here too, so that its part can be seen and heard before it is sent.
import { Fault, ask } from "./asking.js";
import { sentence } from "./telling.js";

const MOST_BYTES = 20 * 1024 * 1024;
const form = document.querySelector("[data-new-song]");
const find = (name) => form.querySelector(`[data-${name}]`);
const file = form.elements.file;
const start = form.elements.start_s;
const lasts = form.elements.seconds;
const canvas = find("wave");
const slide = find("slide");

let context = null;
let sound = null;
let peaks = [];
let source = null;

const number = (input, otherwise) => {
  const value = Number.parseFloat(input.value);
  return Number.isFinite(value) ? value : otherwise;
};
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function measured(buffer) {
  const columns = 320;
  const samples = buffer.getChannelData(0);
  const step = Math.max(1, Math.floor(samples.length / columns));
  const found = [];
  for (let column = 0; column < columns; column += 1) {
    let most = 0;
    const end = Math.min(samples.length, (column + 1) * step);
    // Every eighth sample is enough to see where it is loud.
    for (let at = column * step; at < end; at += 8) most = Math.max(most, Math.abs(samples[at]));
    found.push(most);
  }
  return found;
}

function draw() {
  if (!sound) return;
  const pen = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const { width, height } = canvas;
  const begin = number(start, 0) / sound.duration;
  const end = (number(start, 0) + number(lasts, 20)) / sound.duration;
  const loudest = Math.max(0.01, ...peaks);
  pen.clearRect(0, 0, width, height);
  peaks.forEach((peak, column) => {
    const at = column / peaks.length;
    pen.fillStyle = style.getPropertyValue(at >= begin && at < end ? "--accent" : "--line-strong");
    const tall = Math.max(2, (peak / loudest) * (height - 12));
    pen.fillRect(at * width, (height - tall) / 2, width / peaks.length - 1, tall);
  });
  const until = Math.min(sound.duration, number(start, 0) + number(lasts, 20));
  find("span").textContent = `${clock(number(start, 0))} to ${clock(until)} of ${clock(sound.duration)}`;
}

function hush() {
  source?.stop();
  source = null;
  find("hear").setAttribute("aria-pressed", "false");
}

async function read() {
  hush();
  sound = null;
  find("part").hidden = true;
  find("unread").hidden = true;
  const chosen = file.files[0];
  if (!chosen) return;
  if (!form.elements.title.value) form.elements.title.value = chosen.name.replace(/\.[^.]+$/, "").slice(0, 64);
  if (chosen.size > MOST_BYTES) return;
  try {
    context ??= new AudioContext();
    sound = await context.decodeAudioData(await chosen.arrayBuffer());
  } catch {
    find("unread").hidden = false;
    return;
  }
  peaks = measured(sound);
  slide.max = String(Math.max(0, sound.duration - 1));
  slide.value = start.value;
  find("part").hidden = false;
  draw();
}

function hear() {
  if (source) {
    hush();
    return;
  }
  if (!sound) return;
  context.resume();
  source = context.createBufferSource();
  source.buffer = sound;
  source.connect(context.destination);
  source.addEventListener("ended", hush);
  source.start(0, number(start, 0), number(lasts, 20));
  find("hear").setAttribute("aria-pressed", "true");
}

async function send(event) {
  event.preventDefault();
  const button = find("send");
  if (button.getAttribute("aria-busy") === "true") return;
  hush();
  button.setAttribute("aria-busy", "true");
  find("sending").textContent = "It is sent, and made as loud as the others…";
  try {
    const answer = await ask(location.pathname, { body: new FormData(form) });
    location.assign(answer.next);
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault;
    const notice = document.createElement("div");
    notice.className = "notice bad";
    notice.setAttribute("role", "alert");
    const words = document.createElement("p");
    const fields = Object.values(fault.fields);
    const said = fields.length ? fields : [fault.message];
    words.textContent = [...said, fault.hint].filter(Boolean).map(sentence).join(" ");
    notice.append(words);
    find("errors").replaceChildren(notice);
    notice.scrollIntoView({ block: "nearest" });
  } finally {
    button.removeAttribute("aria-busy");
    find("sending").textContent = "";
  }
}

file.addEventListener("change", read);
slide.addEventListener("input", () => {
  start.value = slide.value;
  draw();
});
for (const each of [start, lasts]) {
  each.addEventListener("input", () => {
    slide.value = start.value;
    draw();
  });
}
find("hear").addEventListener("click", hear);
form.addEventListener("submit", send);
