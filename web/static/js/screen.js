// The office screen. It stays for weeks: it never leaves the page unless the appliance has just answered, says
// calmly when it has lost it, and holds no more after a month than after a minute.
import { listen } from "./events.js";
import { Clock } from "./screen-clock.js";
import { Scene } from "./screen-scene.js";
import { Sound } from "./screen-sound.js";

const TICK_MS = 250;
// The appliance says something every ten seconds.
const SILENT_MS = 12_000;
const LOST_MS = 17_000;
const ASK_MS = 5000;
const ANSWER_MS = 8000;
const RELOADS_APART_MS = 60_000;
const BEGUN = performance.now();

const root = document.body;
const clock = new Clock(root.dataset.at);
const scene = new Scene(document.querySelector("[data-screen]"));
const sound = new Sound(root, document.querySelector("meta[name=csrf-token]").content);
const build = root.dataset.build;

let heard = -Infinity;
let connected = false;
let asking = false;
let asked = 0;
let newer = false;
let broken = 0;

function fresh({ at, build: theirs }) {
  heard = performance.now();
  connected = true;
  clock.set(at);
  scene.freshAt(clock.now());
  if (theirs && theirs !== build) newer = true;
}

function show(state) {
  scene.show(state, performance.now());
  sound.show(state.song);
}

listen("/screen/stream", { beat: fresh, state: show }, {
  onLine: (alive) => {
    if (alive === false) connected = false;
  },
});

// While the stream is down: ask by hand. It also tells a screen that was unpaired, and keeps one alive whose
// stream a proxy holds back.
async function ask() {
  if (asking || performance.now() - asked < ASK_MS) return;
  asking = true;
  asked = performance.now();
  try {
    const response = await fetch("/screen/state", {
      headers: { Accept: "application/json" },
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (response.status === 401) {
      location.replace(heard > 0 ? "/screen/pair?gone" : "/screen/pair");
      return;
    }
    if (!response.ok) return;
    const told = await response.json();
    fresh(told);
    show(told.state);
    connected = false; // that was not the stream
  } catch {
    // Still away; asked again soon.
  } finally {
    asking = false;
  }
}

// A new version, or a fault of ours: load the page anew, but only from an appliance that serves it right now.
async function reload() {
  if (asking || performance.now() - Math.max(asked, BEGUN) < ASK_MS) return;
  let last = 0;
  try {
    last = Number(sessionStorage.getItem("reloaded")) || 0;
  } catch {
    // Storage may be forbidden; then only the pause above holds.
  }
  if (Date.now() - last < RELOADS_APART_MS) return;
  asking = true;
  asked = performance.now();
  try {
    const response = await fetch("/screen", { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
    if (!response.ok) return;
    await response.text();
    try {
      sessionStorage.setItem("reloaded", String(Date.now()));
    } catch {
      // See above.
    }
    location.reload();
  } catch {
    // Not now.
  } finally {
    asking = false;
  }
}

function tick() {
  try {
    const now = performance.now();
    const silentMs = now - heard;
    scene.tick(clock.now(), now, silentMs > LOST_MS);
    sound.tick();
    if (silentMs > SILENT_MS || (!connected && now - BEGUN > 2000)) ask();
    if (newer || broken > 2) reload();
    broken = broken > 2 ? broken : 0;
  } catch (error) {
    broken += 1;
    console.error(error);
    if (broken > 2) reload();
  }
}

tick();
setInterval(tick, TICK_MS);
document.addEventListener("visibilitychange", tick);

// A television dims what nobody touches, unless asked not to.
async function stayAwake() {
  try {
    if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen");
  } catch {
    // Not allowed here; then its own settings hold.
  }
}
stayAwake();
document.addEventListener("visibilitychange", stayAwake);
