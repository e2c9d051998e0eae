// Telling the reader: short notices in the corner, and times in the reader's own way.

/** Say something in passing; it goes by itself. */
export function toast(words, { kind = "" } = {}) {
  const place = document.querySelector("[data-toasts]");
  if (!place) return;
  const shown = document.createElement("div");
  shown.className = `toast ${kind}`;
  shown.textContent = words;
  place.append(shown);
  setTimeout(() => shown.remove(), 6000);
}

/** What the server says of a fault, as a sentence: with a capital and a full stop, where it lacks them. */
export function sentence(words) {
  if (!words) return "";
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? "" : "."}`;
}

// Times are the box's, as its days are: what stands before the offset is what its clock showed. It is formatted
// as if it were UTC, so that the reader's own zone has no part in it.
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
// The first formatter takes a browser 15 ms and more, so none is made before something is to be formatted.
const format = (options) => {
  let made;
  return { format: (at) => (made ??= new Intl.DateTimeFormat(undefined, { ...options, timeZone: "UTC" })).format(at) };
};
const MOMENT = format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const MOMENT_YEAR = format({ dateStyle: "medium", timeStyle: "short" });
const DAY = format({ dateStyle: "medium" });
const HOUR = format({ hour: "2-digit", minute: "2-digit" });
const SECOND = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const BOX = document.querySelector("meta[name=clock]")?.content ?? "";

/** What a clock showed, of ISO 8601 with an offset: a date whose UTC fields are the clock's. */
function onTheClock(iso) {
  return new Date(`${iso.slice(0, 19)}Z`);
}

/** What the box's clock shows now. */
function boxNow() {
  const loaded = onTheClock(BOX);
  return new Date((Number.isNaN(loaded.getTime()) ? Date.now() : loaded.getTime()) + performance.now());
}

/** The hour that the box's clock showed at a moment of `performance.now()`. */
export function hourOf(ms) {
  return HOUR.format(boxNow() - (performance.now() - ms));
}

/**
 * A time of day to the second by the box's clock.
 * @param {number} ms Milliseconds since the epoch.
 * @param {number} zone Minutes that the clock was ahead of UTC then.
 */
export function clockOf(ms, zone) {
  return SECOND.format(ms + zone * MINUTE_MS);
}

/** A moment as people say it: the hour today, the date before. Both as `onTheClock` has them. */
function said(at, now = boxNow()) {
  const days = Math.floor(now / DAY_MS) - Math.floor(at / DAY_MS);
  if (days === 0) return `today, ${HOUR.format(at)}`;
  if (days === 1) return `yesterday, ${HOUR.format(at)}`;
  return (at.getUTCFullYear() === now.getUTCFullYear() ? MOMENT : MOMENT_YEAR).format(at);
}

const WAYS = { moment: said, day: (at) => DAY.format(at), hour: (at) => HOUR.format(at), second: (at) => SECOND.format(at) };

/** Write the times below an element, by the box's clock, in the reader's own way. */
export function localise(root = document) {
  for (const each of root.querySelectorAll("time")) {
    const way = Object.keys(WAYS).find((name) => name in each.dataset);
    const at = onTheClock(each.dateTime);
    if (!way || Number.isNaN(at.getTime())) continue;
    each.title = MOMENT_YEAR.format(at);
    each.textContent = WAYS[way](at);
  }
  sayWhoseClock();
}

/** Where the reader's clock shows another hour than the box's, the page says once whose its times are. */
function sayWhoseClock() {
  const note = document.querySelector("[data-clock-note]");
  const [, sign, hours, minutes] = /([+-])(\d\d):(\d\d)$/.exec(BOX) ?? [];
  if (!note || !sign || !document.querySelector("main time")) return;
  const offset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  if (offset === -new Date().getTimezoneOffset()) return;
  note.textContent = `Days and times on this page are the box’s: its clock shows ${HOUR.format(boxNow())} (UTC${sign}${hours}:${minutes}), yours another hour.`;
  note.hidden = false;
}
