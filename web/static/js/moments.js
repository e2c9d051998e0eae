// Draws the bars of a page of moments from the tables that stand behind them: what a bar is, how high, and where it
// leads. Hovering says what a bar is; pressing one leads to its moments; dragging over several, by mouse, pen or
// finger, leads to the page of that time. The tables are what a keyboard and a screen reader use.
const uPlot = window.uPlot;
const HEIGHT = { small: 160, large: 220 };
const LEAST_DRAG_PX = 8;
const TICK_PX = 17; // a mark of an axis and the gap behind it
const charts = [];
const ruler = document.createElement("canvas").getContext("2d");
const HOUR = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit", timeZone: "UTC" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });

/** What the box's clock showed, as seconds that are drawn as if they were UTC. */
function onTheClock(iso) {
  return Date.parse(`${iso.slice(0, 19)}Z`) / 1000;
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function rowsOf(place) {
  return [...document.getElementById(place.dataset.chart).tBodies[0].rows].map((row) => ({
    since: row.dataset.since,
    until: row.dataset.until,
    value: Number(row.dataset.value),
    shown: row.dataset.shown,
    words: row.cells[0].textContent,
    href: row.querySelector("a")?.href ?? "",
  }));
}

/** What stands at the marks of the time's axis: the hour, and the day below it where it changes; or days. */
function times(marks, step) {
  let before = "";
  return marks.map((mark) => {
    if (mark === null) return null;
    const at = new Date(mark * 1000);
    const day = DAY.format(at);
    if (step >= 86400) return day;
    const below = day === before ? "" : `\n${day}`;
    before = day;
    return `${HOUR.format(at)}${below}`;
  });
}

/** How wide the widest of these is in that font, in pixels. */
function widest(texts, font) {
  ruler.font = font;
  return Math.ceil(Math.max(0, ...texts.map((text) => ruler.measureText(text).width)));
}

/** A note beside the pointer. */
function teller(place) {
  const note = document.createElement("div");
  note.className = "chart-note";
  note.hidden = true;
  return {
    note,
    tell(plot, row, left) {
      note.hidden = !row;
      if (!row) return;
      const many = place.dataset.percent === undefined ? `${row.shown} ${place.dataset.unit}` : row.shown === "nobody" ? "nobody came by" : `${row.shown} were ${place.dataset.unit}`;
      note.replaceChildren();
      for (const [kind, words] of [["strong", many], ["span", row.words]]) {
        const part = document.createElement(kind);
        part.textContent = words;
        note.append(part);
      }
      const width = plot.over.clientWidth;
      const half = note.offsetWidth / 2;
      note.style.left = `${Math.min(Math.max(left, half), Math.max(half, width - half))}px`;
    },
  };
}

function zoomTo(place, first, last) {
  const address = new URL(place.dataset.zoom, location.href);
  // To the minute, with the offset behind the seconds: an hour may come twice.
  address.searchParams.set("since", first.since.slice(0, 16) + first.since.slice(19));
  address.searchParams.set("until", last.until.slice(0, 16) + last.until.slice(19));
  location.assign(address);
}

function draw(place) {
  const rows = rowsOf(place);
  const starts = rows.map((row) => onTheClock(row.since));
  const last = onTheClock(rows.at(-1).until);
  const percent = place.dataset.percent !== undefined;
  const most = Math.max(1, ...rows.map((row) => row.value));
  const { note, tell } = teller(place);
  // Whole pixels: uPlot reads the digits before "px" as the height of a line.
  const font = `${Math.round((13 * parseFloat(getComputedStyle(document.documentElement).fontSize)) / 16)}px ${getComputedStyle(document.body).fontFamily}`;
  const axis = { stroke: colour("ink-soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 }, font };
  const days = widest(starts.map((start) => DAY.format(new Date(start * 1000))), font);
  let from = null;
  const options = {
    width: place.clientWidth,
    height: place.clientWidth < 600 ? HEIGHT.small : HEIGHT.large,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    padding: [8, days / 2, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: Boolean(place.dataset.zoom), y: false, setScale: false } },
    scales: { x: { time: true, range: () => [starts[0], last] }, y: { range: () => [0, percent ? 100 : most < 4 ? 4 : most * 1.08] } },
    axes: [
      { ...axis, grid: { show: false }, space: days + 12, size: 54, values: (_, marks, __, ___, step) => times(marks, step) },
      { ...axis, size: (_, marks) => Math.max(44, days / 2 + 2, widest(marks ?? [], font) + TICK_PX), space: 36, incrs: percent ? [25, 50] : [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000, 50000, 100000], values: (_, marks) => marks.map((mark) => (percent ? `${mark} %` : String(mark))) },
    ],
    series: [
      {},
      {
        fill: colour("accent"),
        stroke: colour("accent"),
        width: 0,
        points: { show: false },
        paths: uPlot.paths.bars({ size: [0.86, Infinity], align: 1, radius: 0.12 }),
      },
    ],
    hooks: {
      setCursor: [
        (plot) => {
          const at = under(plot);
          tell(plot, rows[at], at === null ? 0 : plot.valToPos((starts[at] + onTheClock(rows[at].until)) / 2, "x"));
          plot.over.classList.toggle("leads", Boolean(rows[at]?.href));
        },
      ],
      setSelect: [
        (plot) => {
          if (plot.select.width < LEAST_DRAG_PX) return;
          const [first, final] = [plot.select.left, plot.select.left + plot.select.width].map((px) => index(plot.posToVal(px, "x")));
          zoomTo(place, rows[first], rows[final]);
        },
      ],
    },
  };

  function index(seconds) {
    const found = starts.findLastIndex((start) => start <= seconds);
    return Math.min(Math.max(found, 0), rows.length - 1);
  }

  // Bars begin at their time, so the one under the pointer is the last that began before it, not the nearest.
  function under(plot) {
    return plot.cursor.left === undefined || plot.cursor.left < 0 ? null : index(plot.posToVal(plot.cursor.left, "x"));
  }

  const plot = new uPlot(options, [starts, rows.map((row) => row.value)], place);
  plot.over.append(note);
  plot.over.addEventListener("pointerdown", (event) => (from = event.clientX));
  if (place.dataset.zoom) dragged(plot);
  plot.over.addEventListener("click", (event) => {
    if (from !== null && Math.abs(event.clientX - from) >= LEAST_DRAG_PX) return;
    const box = plot.over.getBoundingClientRect();
    const row = rows[index(plot.posToVal(event.clientX - box.left, "x"))];
    if (row.href) location.assign(row.href);
  });
  return plot;
}

/** Have a finger or a pen drag as the mouse does, to which alone uPlot listens; up and down it scrolls the page. */
function dragged(plot) {
  let begun = null;
  const at = (event) => Math.min(Math.max(event.clientX - plot.over.getBoundingClientRect().left, 0), plot.over.clientWidth);
  const chosen = (event) => ({ left: Math.min(begun, at(event)), width: Math.abs(at(event) - begun), top: 0, height: plot.over.clientHeight });
  plot.over.addEventListener("pointerdown", (event) => {
    begun = event.pointerType === "mouse" ? null : at(event);
  });
  plot.over.addEventListener("pointermove", (event) => {
    if (begun !== null) plot.setSelect(chosen(event), false);
  });
  plot.over.addEventListener("pointerup", (event) => {
    if (begun === null) return;
    plot.setSelect(chosen(event));
    begun = null;
  });
  plot.over.addEventListener("pointercancel", () => {
    begun = null;
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  });
}

function drawAll() {
  for (const { plot } of charts.splice(0)) plot.destroy();
  for (const place of document.querySelectorAll("[data-chart]")) charts.push({ place, plot: draw(place) });
}

drawAll();
new ResizeObserver(() => {
  for (const { place, plot } of charts) {
    if (place.clientWidth && Math.abs(place.clientWidth - plot.width) > 1) plot.setSize({ width: place.clientWidth, height: plot.height });
  }
}).observe(document.querySelector("main"));
// Colours are drawn, so another theme is another drawing.
new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
