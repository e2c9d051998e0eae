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

const MOMENT = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const MOMENT_YEAR = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const HOUR = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

/** A moment as people say it: the hour today, the date before. */
export function said(at, now = new Date()) {
  if (at.toDateString() === now.toDateString()) return `today, ${HOUR.format(at)}`;
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (at.toDateString() === yesterday.toDateString()) return `yesterday, ${HOUR.format(at)}`;
  return (at.getFullYear() === now.getFullYear() ? MOMENT : MOMENT_YEAR).format(at);
}

/** Write the times below an element in the reader's own zone and way. */
export function localise(root = document) {
  for (const each of root.querySelectorAll("time[data-moment], time[data-day]")) {
    const at = new Date(each.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    each.title = MOMENT_YEAR.format(at);
    each.textContent = "day" in each.dataset ? DAY.format(at) : said(at);
  }
}
