// What was found, as cards. Text from the catalogue is only ever text; a link leads out with nothing of us.
import { localise } from "./telling.js";

/** An element with its class and what is in it. */
export function el(tag, name, ...inside) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...inside.filter((each) => each !== null && each !== ""));
  return made;
}

function symbol(name) {
  return document.querySelector("[data-icons]").content.querySelector(`[data-icon="${name}"] svg`).cloneNode(true);
}

function picture(match) {
  const made = el("img");
  made.src = match.picture;
  made.alt = "";
  made.decoding = "async";
  return el("div", "found-picture", made);
}

/** Where an item's link leads, said as text too; nothing where it has none. */
function link(match) {
  if (!match.link) return null;
  const made = el("a", "found-link", symbol("link"), el("span", "", match.host));
  made.href = match.link;
  made.rel = "noopener noreferrer";
  made.target = "_blank";
  made.title = match.link;
  made.append(el("span", "unseen", ` (${match.title}, in a new window)`));
  return made;
}

function title(match) {
  const made = el("a", "", match.title);
  made.href = match.page;
  return made;
}

function best(match) {
  const likeness = el("span", "badge accent", match.likeness);
  likeness.title = `Likeness ${match.score.toFixed(2)}`;
  return el(
    "div",
    "found-best",
    picture(match),
    el(
      "div",
      "found-words",
      el("h3", "found-title", title(match)),
      match.price ? el("p", "found-price", match.price) : null,
      match.notes ? el("p", "found-notes", match.notes) : null,
      el("p", "row", likeness),
      link(match),
    ),
  );
}

function other(match) {
  return el("li", "", picture(match), el("div", "", title(match), el("p", "small muted", [match.price, match.likeness].filter(Boolean).join(" · "))));
}

/** How a look-up is called where it is told of: by whom, and when. */
function whence(found) {
  const who = { camera: `Camera ${found.name}`, function: `Function ${found.name}`, picture: "By a picture" }[found.source];
  const at = el("time");
  at.dateTime = found.at;
  at.dataset.hour = "";
  const line = el("p", "found-whence small muted", `${who}, `, at);
  localise(line);
  return line;
}

/**
 * A look-up as a card: the best match large, the others beside it in small; or that there is nothing like it.
 * @param {{key: string, known: boolean, matches: object[], near: object|null, searched: number}} found
 */
export function card(found, { shown = null } = {}) {
  const made = el("article", `card found-card${found.known ? "" : " none"}`);
  if (shown) made.append(el("div", "found-asked", shown, whence(found)));
  if (!found.known) {
    made.append(nothing(found));
    return made;
  }
  const [first, ...others] = found.matches;
  made.append(best(first));
  if (others.length) {
    const list = el("ul", "found-others", ...others.map(other));
    list.setAttribute("aria-label", "Also alike");
    made.append(list);
  }
  if (!shown) made.append(whence(found));
  return made;
}

function nothing(found) {
  const items = found.searched === 1 ? "the one item" : `${found.searched.toLocaleString()} items`;
  const made = el("div", "found-nothing", symbol("question"), el("h3", "", "Nothing like it"), el("p", "muted", `Of ${items} none is alike enough.`));
  if (found.near) made.append(el("p", "small muted", "The nearest, and not near enough: ", title(found.near)));
  return made;
}
