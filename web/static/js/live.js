// The live view: pictures by an <img> that never ends, what is seen in them by events beside it.
// Both are let go of while the page is hidden, and taken up again when it is back.
import { stillSignedIn } from "./asking.js";
import { sentence } from "./telling.js";

const AGAIN_MS = 2000;
const QUIET_MS = 15000;

const STATES = { open: ["Open", "warn"], shut: ["Shut", "good"], unsure: ["Not sure", ""] };

const root = document.querySelector("[data-live]");
const part = (name, within = root) => within.querySelector(`[data-${name}]`);

let kind = "project";
let events = null;
let heard = 0;
let number = 0;
let timer = 0;

function begin() {
  end();
  number += 1;
  const address = `${root.dataset.address}/${kind}`;
  part("picture").src = `${address}.mjpeg?${number}`;
  events = new EventSource(`${address}/seen`);
  events.addEventListener("message", (message) => {
    heard = Date.now();
    show(JSON.parse(message.data));
  });
  events.addEventListener("beat", () => {
    heard = Date.now();
  });
  events.addEventListener("open", () => {
    heard = Date.now();
    pulse("good", "Live");
  });
  events.addEventListener("error", lost);
  heard = Date.now();
}

function lost() {
  if (events?.readyState === EventSource.CLOSED) stillSignedIn();
  pulse("warn", "Connecting again");
  plate("The connection was lost.", "It is tried again by itself.");
  again();
}

function end() {
  clearTimeout(timer);
  timer = 0;
  events?.close();
  events = null;
}

// The stream of pictures has to be begun anew with the events: a broken <img> stays as it was.
function again() {
  end();
  timer = setTimeout(begin, AGAIN_MS);
}

part("picture").addEventListener("error", () => {
  if (events && !timer) again();
});

document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    end();
    part("picture").removeAttribute("src");
  } else {
    plate("The picture is on its way.", "");
    begin();
  }
});
addEventListener("pagehide", () => {
  end();
  part("picture").removeAttribute("src");
});
addEventListener("pageshow", (event) => {
  if (event.persisted) begin();
});

// A line that died without a word: the server says something every five seconds.
setInterval(() => {
  if (events && !timer && Date.now() - heard > QUIET_MS) lost();
}, 3000);

function pulse(look, words) {
  part("pulse-dot").className = `dot ${look}`;
  part("pulse-words").textContent = words;
}

function plate(words, hint) {
  part("plate").hidden = !words;
  part("plate-words").textContent = words;
  part("plate-hint").textContent = hint;
}

function show(seen) {
  if (seen.state === "lost") {
    plate(sentence(seen.message), sentence(seen.hint));
    pulse("bad", "No picture");
  } else {
    plate("", "");
    pulse("good", "Live");
  }
  for (const card of root.querySelectorAll("[data-door]")) door(card, seen.doors[card.dataset.door]);
  people(seen.faces, seen.state === "lost");
}

function door(card, seen) {
  const [words, look] = STATES[seen?.state] ?? ["No picture", ""];
  part("door-state", card).textContent = words;
  part("door-dot", card).className = `dot ${look}`;
  const share = seen ? Math.round(seen.fraction * 100) : 0;
  part("meter-bar", card).style.setProperty("--part", share / 100);
  part("meter", card).setAttribute("aria-label", `${share} percent of the door's area looks like the shut door`);
  part("door-why", card).textContent = seen
    ? `${share} % of the watched area looks like the shut door.`
    : "It is not known while there is no picture.";
}

function people(faces, blind) {
  const list = part("people");
  part("nobody").textContent = blind ? "It is not known while there is no picture." : "Nobody at the moment.";
  part("nobody").hidden = faces.length > 0;
  list.replaceChildren(
    ...faces.map((face) => {
      const item = document.createElement("li");
      const row = document.createElement("div");
      row.className = "row apart";
      const name = document.createElement("strong");
      name.textContent = called(face);
      const badge = document.createElement("span");
      badge.className = `badge ${face.known ? "good" : face.stranger ? "bad" : ""}`;
      badge.textContent = face.known ? "known" : face.stranger ? "stranger" : "looking";
      row.append(name, badge);
      const why = document.createElement("p");
      why.className = "small muted";
      why.textContent = reason(face);
      item.append(row, why);
      return item;
    }),
  );
}

function called(face) {
  if (face.known) return face.name || "Somebody enrolled";
  return face.stranger ? "A stranger" : "Somebody";
}

function reason(face) {
  const frames = face.frames === 1 ? "1 good picture" : `${face.frames} good pictures`;
  if (!face.why) return face.frames ? `Not decided yet, after ${frames}.` : "No good picture of the face yet.";
  const score = face.score === null || face.threshold === null ? "" : ` Likeness ${face.score.toFixed(2)}, needed ${face.threshold.toFixed(2)}.`;
  return `${face.why.charAt(0).toUpperCase()}${face.why.slice(1)}.${score} ${frames.charAt(0).toUpperCase()}${frames.slice(1)}.`;
}

for (const button of root.querySelectorAll("[data-kind]")) {
  button.addEventListener("click", () => {
    kind = button.dataset.kind;
    for (const each of root.querySelectorAll("[data-kind]")) each.setAttribute("aria-pressed", String(each === button));
    begin();
  });
}

part("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else part("stage").requestFullscreen?.();
});

begin();
