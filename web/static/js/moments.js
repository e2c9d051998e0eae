// Draws the bars of a page of moments from the tables that stand behind them: what a bar is, how high, and where it
// leads. Hovering says what a bar is; pressing one leads to its moments; dragging over several leads to the page of
// that time. The tables are what a keyboard and a screen reader use.
const uPlot = window.uPlot;
const HEIGHT = { small: 160, large: 220 };
const LEAST_DRAG_PX = 8;
const charts = [];
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
  address.searchParams.set("since", first.since.slice(0, 16));
  address.searchParams.set("until", last.until.slice(0, 16));
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
  let from = null;
  const options = {
    width: place.clientWidth,
    height: place.clientWidth < 600 ? HEIGHT.small : HEIGHT.large,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    padding: [8, 24, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: Boolean(place.dataset.zoom), y: false, setScale: false } },
    scales: { x: { time: true, range: () => [starts[0], last] }, y: { range: () => [0, percent ? 100 : most < 4 ? 4 : most * 1.08] } },
    axes: [
      { ...axis, grid: { show: false }, space: 76, size: 54, values: (_, marks, __, ___, step) => times(marks, step) },
      { ...axis, size: percent ? 52 : 44, space: 36, incrs: percent ? [25, 50] : [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000, 10000, 50000, 100000], values: (_, marks) => marks.map((mark) => (percent ? `${mark} %` : mark)) },
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
  plot.over.addEventListener("click", (event) => {
    if (from !== null && Math.abs(event.clientX - from) >= LEAST_DRAG_PX) return;
    const box = plot.over.getBoundingClientRect();
    const row = rows[index(plot.posToVal(event.clientX - box.left, "x"))];
    if (row.href) location.assign(row.href);
  });
  return plot;
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
