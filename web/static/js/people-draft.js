// The enrolment that is under way on this page: whose it is, where it is asked for, what went wrong with it.
import { Fault } from "./asking.js";
import { sentence } from "./people-tiles.js";

export const place = document.querySelector("[data-enrol]");
export const find = (what) => place.querySelector(what);

/** `id`: null before it began; `name`: of whoever is enrolled; `to`: somebody enrolled already, or null. */
export const draft = { id: null, name: place.dataset.name, to: null, done: false };

/** Its address, or of something of it. */
export const path = (...more) => ["/people/enrol", draft.id, ...more].filter(Boolean).map((each, at) => (at ? encodeURIComponent(each) : each)).join("/");

/** The address of something below it. */
export const below = (...more) => `${path()}/${more.map(encodeURIComponent).join("/")}`;

/** Say at the top of the page what is wrong; nothing: it is all right again. */
export function fault(words) {
  find("[data-fault]").hidden = !words;
  find("[data-fault-words]").textContent = words;
}

/** Likewise of what was asked for. */
export function told(error) {
  if (!(error instanceof Fault)) throw error;
  const words = Object.values(error.fields);
  fault((words.length ? words : [error.message, error.hint]).filter(Boolean).map(ended).join(" "));
  find("[data-fault]").scrollIntoView({ block: "nearest" });
}

export const ended = (words) => (/[.!?]$/.test(words) ? sentence(words) : `${sentence(words)}.`);
