// The keypad of a lock. It stays for months beside a door: it shows how many digits were typed and never which, sends
// a PIN once, forgets it, and says whether the door opened. Nothing is kept in the browser.
const root = document.querySelector("[data-keypad]");
const part = (name) => root.querySelector(`[data-${name}]`);
const told = part("told");
const dots = part("dots");
const typed = part("typed");
const keys = [...root.querySelectorAll(".key")];

const SHORTEST = 4;
const LONGEST = 10;
const FORGET_MS = 12_000;
const SHOWN_MS = 6000;
const HINT_MS = 5000;
const AGAIN_MS = 4000;
const ANSWER_MS = 50_000;
const ASK_EVERY_MS = 60_000;

const WORDS = {
  idle: "Type your PIN, then look at the camera",
  looking: "Look at the camera",
  hint: "Look straight at the camera, or type your PIN again",
  opened: "Open",
  failed: "The lock did not answer. Ask whoever looks after the door.",
  not_opened: "It did not open. Type your PIN again and look at the camera.",
  again: "Please type it once more",
  short: `A PIN has ${SHORTEST} to ${LONGEST} digits`,
  closed: "This keypad is not in use",
  away: "No connection to the appliance",
};

let digits = "";
let turn = "";
let sending = null;
let forgetting = 0;
let settling = 0;
let hinting = 0;
let waiting = 0;
let unpaired = false;

function say(state, words) {
  root.dataset.state = state;
  told.textContent = words;
}

/** Go back to waiting for a PIN after a while. */
function settle(after) {
  clearTimeout(settling);
  settling = setTimeout(() => {
    if (!sending && !digits && !waiting) say("idle", WORDS.idle);
  }, after);
}

function usable(yes) {
  for (const key of keys) key.disabled = !yes;
}

function show() {
  dots.replaceChildren(...Array.from(digits, () => document.createElement("i")));
  typed.textContent = digits ? `${digits.length} typed` : "";
}

function clear() {
  digits = "";
  clearTimeout(forgetting);
  show();
}

function type(digit) {
  if (waiting || digits.length >= LONGEST) return;
  if (!digits) {
    // Whoever types begins anew: what was sent before is not waited for any more.
    sending?.abort();
    sending = null;
    clearTimeout(hinting);
    say("idle", WORDS.idle);
  }
  digits += digit;
  show();
  clearTimeout(forgetting);
  forgetting = setTimeout(() => {
    clear();
    say("idle", WORDS.idle);
  }, FORGET_MS);
}

async function request(path, json, signal) {
  const headers = { Accept: "application/json" };
  if (json) {
    headers["Content-Type"] = "application/json";
    headers["X-CSRF-Token"] = document.querySelector('meta[name="csrf-token"]').content;
  }
  const response = await fetch(path, {
    method: json ? "POST" : "GET",
    headers,
    body: json ? JSON.stringify(json) : undefined,
    cache: "no-store",
    credentials: "same-origin",
    redirect: "error",
    signal,
  });
  if (response.status === 401) {
    unpaired = true; // nothing more is asked until somebody pairs it
    usable(false);
    location.replace(turn ? "/keypad/pair?gone" : "/keypad/pair");
    throw new Error("not paired");
  }
  return response;
}

/** Ask where this is and what the next PIN has to come with; whether there was an answer. */
async function renew() {
  if (unpaired) return false;
  try {
    const response = await request("/keypad/now");
    if (!response.ok) throw new Error("no answer");
    const now = await response.json();
    turn = now.turn;
    part("label").textContent = now.label;
    document.title = now.label;
    usable(now.ready);
    if (!now.ready) say("trouble", WORDS.closed);
    else if (["starting", "trouble"].includes(root.dataset.state) && !waiting) say("idle", WORDS.idle);
    return true;
  } catch {
    if (unpaired) return false;
    usable(false);
    say("trouble", WORDS.away);
    setTimeout(renew, AGAIN_MS);
    return false;
  }
}

async function enter() {
  if (waiting || !digits) return;
  if (digits.length < SHORTEST) {
    clear();
    say("trouble", WORDS.short);
    settle(SHOWN_MS);
    return;
  }
  const pin = digits;
  clear();
  const mine = (sending = new AbortController());
  const late = setTimeout(() => mine.abort(), ANSWER_MS);
  say("looking", WORDS.looking);
  hinting = setTimeout(() => {
    if (sending === mine) told.textContent = WORDS.hint;
  }, HINT_MS);
  try {
    if (!turn && !(await renew())) return;
    say("looking", WORDS.looking);
    const now = turn;
    turn = "";
    await heard(await request("/keypad/enter", { pin, turn: now }, mine.signal), mine);
  } catch (error) {
    if (sending === mine && error.name !== "AbortError") await renew();
    else if (sending === mine) say("trouble", WORDS.away);
  } finally {
    clearTimeout(late);
    if (sending === mine) {
      sending = null;
      clearTimeout(hinting);
      settle(SHOWN_MS);
    }
  }
}

/** Say what became of it, if it is still the one that is waited for. */
async function heard(response, mine) {
  if (response.status === 403) return location.reload(); // the page is older than the appliance
  const answer = response.ok ? await response.json() : null;
  if (sending !== mine) return;
  if (answer) turn = answer.turn;
  if (response.status === 429) return wait(Number(response.headers.get("Retry-After")) || 5);
  if (!answer) {
    await renew();
    if (root.dataset.state === "looking") say("trouble", WORDS.not_opened);
    return;
  }
  const state = answer.outcome === "opened" ? "opened" : "trouble";
  if (answer.outcome !== "replaced") say(state, WORDS[answer.outcome] ?? WORDS.not_opened);
}

/** Typed too often: say for how long nothing is taken. */
function wait(seconds) {
  clearInterval(waiting);
  usable(false);
  let left = seconds;
  const tick = () => {
    if (left > 0) {
      say("trouble", `Too many tries. Wait ${left} second${left === 1 ? "" : "s"}.`);
      left -= 1;
      return;
    }
    clearInterval(waiting);
    waiting = 0;
    say("idle", WORDS.idle);
    renew();
  };
  waiting = setInterval(tick, 1000);
  tick();
}

for (const key of keys) {
  // Pressed, not clicked: a finger that slides a little on cheap glass is a press all the same.
  key.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    if (!key.disabled) press(key);
  });
  key.addEventListener("click", (event) => {
    if (event.detail === 0) press(key); // by keyboard, or by what reads the page aloud
  });
}

function press(key) {
  if (key.dataset.digit !== undefined) type(key.dataset.digit);
  else if ("clear" in key.dataset) {
    clear();
    if (!sending && !waiting) say("idle", WORDS.idle);
  } else enter();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || keys[0].disabled) return;
  if (/^[0-9]$/.test(event.key)) type(event.key);
  else if (event.key === "Backspace" || event.key === "Escape") clear();
  else if (event.key === "Enter" && !event.target.closest?.(".key")) enter();
});
addEventListener("contextmenu", (event) => event.preventDefault());

usable(false);
await renew();
// So that it says by itself when it is out of use, or the appliance away.
setInterval(() => {
  if (!sending && !digits && !waiting) renew();
}, ASK_EVERY_MS);
