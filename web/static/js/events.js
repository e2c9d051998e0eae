// The other end of server-sent events: it comes back by itself, and says when the line is dead.

const DEAD_MS = 30_000;

/**
 * Listen to a stream of ours.
 * @param {string} path
 * @param {Record<string, (value: any) => void>} handlers By name of the message; `message` for those without.
 * @param {{onLine?: (alive: boolean, heard: number) => void, onRefused?: () => void, whileSeen?: boolean}} how Told
 *   when the line goes and comes, and when something was heard last (as `performance.now()` counts); told when the
 *   server refused it; whether nothing is heard while the page is hidden. A browser has six connections to a host, for all of its tabs.
 * @returns {() => void} Ends it.
 */
export function listen(path, handlers, { onLine = () => {}, onRefused = () => {}, whileSeen = false } = {}) {
  let source;
  let timer;
  let alive = null;
  let last = 0;
  let ended = false;

  const line = (now) => {
    if (now === alive) return;
    alive = now;
    onLine(now, last);
  };
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(again, DEAD_MS);
    last = performance.now();
    line(true);
  };
  const again = () => {
    source?.close();
    if (ended) return;
    clearTimeout(timer);
    line(alive === null ? null : false);
    begin();
  };
  const begin = () => {
    if (whileSeen && document.hidden) return;
    source = new EventSource(path);
    timer = setTimeout(again, DEAD_MS);
    source.addEventListener("beat", heard);
    source.addEventListener("error", () => {
      line(false);
      // Closed for good by the browser (an error status): try again, but not in a hurry.
      if (source.readyState === EventSource.CLOSED && !ended) {
        clearTimeout(timer);
        timer = setTimeout(again, 5000);
        onRefused();
      }
    });
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => {
        heard();
        handle(JSON.parse(event.data));
      });
    }
  };

  const seen = () => {
    if (!document.hidden) return again();
    clearTimeout(timer);
    source?.close();
  };

  begin();
  if (whileSeen) document.addEventListener("visibilitychange", seen);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && again());
  return () => {
    ended = true;
    document.removeEventListener("visibilitychange", seen);
    clearTimeout(timer);
    source?.close();
  };
}
