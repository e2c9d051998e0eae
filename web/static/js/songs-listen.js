// Listening to a song in this browser: one at a time; fetched whole, since browsers differ in how they ask for parts.
let playing = null;
let button = null;

function show(name) {
  const icon = button?.querySelector("svg");
  if (icon) icon.style.opacity = name === "loading" ? "0.5" : "1";
  button?.setAttribute("aria-pressed", String(name === "playing"));
}

/** End what is heard here. */
export function quiet() {
  if (!playing) return;
  playing.pause();
  URL.revokeObjectURL(playing.src);
  playing = null;
  show("over");
  button = null;
}

/** Begin to hear what a button stands for, or end it. */
async function toggle(pressed, fail) {
  const again = pressed !== button;
  quiet();
  if (!again) return;
  button = pressed;
  show("loading");
  try {
    const response = await fetch(pressed.dataset.listen, { credentials: "same-origin" });
    if (!response.ok) throw new Error(String(response.status));
    const content = await response.blob();
    if (button !== pressed) return;
    playing = new Audio(URL.createObjectURL(content));
    playing.addEventListener("ended", quiet);
    await playing.play();
    show("playing");
  } catch {
    if (button !== pressed) return;
    show("over");
    playing = null;
    button = null;
    fail();
  }
}

/** Make the buttons work that a page has for it. */
export function listening(fail) {
  for (const each of document.querySelectorAll("[data-listen]")) {
    each.hidden = false;
    each.addEventListener("click", () => toggle(each, fail));
  }
}
