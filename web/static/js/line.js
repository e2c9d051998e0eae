// The line to the box, on pages that show what is: when it is down they say so, and of when it is what they show.
import { listen } from "./events.js";
import { hourOf } from "./telling.js";

// What is back so soon nobody has to be told of: the pages were restarted.
const GRACE_MS = 5000;

/**
 * Listen to a stream of ours while the page is seen, and keep its reader from taking for present what was.
 * @param {string} path
 * @param {Record<string, (value: any) => void>} handlers As of `listen`.
 * @param {{onLine?: (alive: boolean) => void, onDown?: (down: boolean) => void}} how Told when the line goes and
 *   comes; told when the page begins, and ends, to say that it is down.
 */
export function follow(path, handlers, { onLine = () => {}, onDown = () => {} } = {}) {
  const notice = document.createElement("div");
  notice.setAttribute("role", "status");
  document.querySelector("main")?.prepend(notice);
  let timer;
  const say = (words) => {
    notice.className = words ? "notice warn" : "";
    notice.textContent = words;
    document.body.toggleAttribute("data-line-down", Boolean(words));
    onDown(Boolean(words));
  };
  listen(path, handlers, {
    onLine: (alive, heard) => {
      clearTimeout(timer);
      if (!alive) timer = setTimeout(() => say(`No word from the box since ${hourOf(heard)}; what is shown is from then.`), GRACE_MS);
      else if (notice.textContent) say("");
      onLine(alive);
    },
    // Fetched when it is needed: the page asks for no more at once than it has connections.
    onRefused: () => import("./asking.js").then(({ stillSignedIn }) => stillSignedIn()).catch(() => undefined),
    whileSeen: true,
  });
}
