// Finding people on the page that lists them: as one types, without asking the server for each key.

const place = document.querySelector("[data-people]");
const list = place.querySelector("[data-cards]");
const search = place.querySelector("[data-search]");
const count = place.querySelector("[data-count]");
const none = place.querySelector("[data-none]");
let filter = "";
let fetching = null;

/** Letters without their case and their marks, so that "ann" finds "Änn". */
function plain(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLocaleLowerCase();
}

function fits(card, words) {
  const { state, needs } = card.dataset;
  if (filter === "needs" ? !needs : filter && state !== filter) return false;
  card.found ??= plain([...card.querySelectorAll("[data-find]")].map((each) => each.textContent).join(" "));
  return words.every((word) => card.found.includes(word));
}

function show() {
  const words = plain(search.value).split(/\s+/).filter(Boolean);
  const cards = [...list.children];
  let shown = 0;
  for (const card of cards) {
    card.hidden = !fits(card, words);
    shown += !card.hidden;
  }
  none.hidden = shown > 0;
  count.textContent = shown === 1 ? "1 person" : `${shown} people`;
}

/** A long list comes in parts; whoever searches wants all of it, once. */
async function everybody() {
  let more = place.querySelector("[data-more]");
  while (more) {
    const page = new DOMParser().parseFromString(await (await fetch(more.href)).text(), "text/html");
    list.append(...page.querySelectorAll("[data-card]"));
    const next = page.querySelector("[data-more]");
    if (next) more.href = next.href;
    else more.closest("p").remove();
    more = next && more;
    show();
  }
}

async function searched() {
  show();
  fetching ??= everybody().catch(() => {
    fetching = null;
  });
}

place.querySelector("[data-tools]").hidden = false;
search.addEventListener("input", searched);
for (const button of place.querySelectorAll("[data-filter]")) {
  button.addEventListener("click", () => {
    filter = button.dataset.filter;
    for (const each of place.querySelectorAll("[data-filter]")) each.setAttribute("aria-pressed", String(each === button));
    searched();
  });
}
