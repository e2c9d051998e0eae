// The webcam with a guide: straight, left, right. It takes a picture when somebody stands well and holds the pose
// that is asked for, or when its button is pressed; what becomes of it is for whoever is handed it. What the
// appliance sees at a glance is asked for a few times a second, one question at a time, while the panel is open.
import { WORDS, advice } from "./people-guide.js";
import { OVAL, difference, distance, gray, light, sharp, still } from "./people-measures.js";

const LOOK_MS = 120;
const GLANCE_MS = 350;
const FRESH_MS = 2500;
const HOLD_MS = 900;
const PATIENCE_MS = 9000;
const MOVED = 7;
const SHOWN = 4 / 3;
const SMALL = { width: 96, height: 72 };
const CLOSE = { width: 160, height: 210 };
const SENT = { width: 480, height: 360 };

/**
 * @param {HTMLElement} place The panel.
 * @param {(picture: Blob) => Promise<{accepted: boolean, words: string}>} taken Has a picture judged.
 * @param {(picture: Blob) => Promise<{faces: number, face: object|null}|null>} glanced Has a small one looked at;
 *   null: there is no answer just now.
 */
export function webcam(place, taken, glanced) {
  const video = place.querySelector("[data-video]");
  const ring = place.querySelector("[data-ring]");
  const hint = place.querySelector("[data-hint]");
  const auto = place.querySelector("[data-auto]");
  const button = place.querySelector("[data-take]");
  const poses = [...place.querySelectorAll("[data-pose]")];
  const small = canvas(SMALL);
  const close = canvas(CLOSE);
  const sent = canvas(SENT);
  let stream = null;
  let timer = 0;
  let pose = 0;
  let since = 0;
  let calm = 0;
  let before = null;
  let captured = null;
  let moved = true;
  let busy = false;
  let seen = null;
  let seenAt = 0;
  let glancing = false;
  let glancedAt = 0;
  let asked = 0;

  async function open() {
    if (!navigator.mediaDevices?.getUserMedia) {
      throw new Error("The browser gives the webcam to pages over https only.");
    }
    stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "user" },
    });
    video.srcObject = stream;
    await video.play();
    place.hidden = false;
    pose = 0;
    captured = null;
    moved = true;
    seen = null;
    asked = 0;
    mark();
    timer = setInterval(look, LOOK_MS);
    button.focus();
    place.scrollIntoView({ block: "nearest" });
  }

  function end() {
    clearInterval(timer);
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.srcObject = null;
    place.hidden = true;
  }

  function look() {
    if (busy || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    const now = performance.now();
    const shown = visible(video);
    glance(shown, now);
    const whole = pixels(small, video, shown);
    const face = gray(pixels(close, video, within(shown, OVAL)));
    const points = gray(whole);
    const near = {
      light: light(face),
      distance: distance(whole, SMALL.width),
      sharp: sharp(face, CLOSE.width),
      still: still(points, before),
    };
    before = points;
    if (captured !== null && difference(points, captured) > MOVED) moved = true;
    if (near.light !== "good" || !near.sharp || !near.still) calm = now;
    const told = advice(near, now - seenAt < FRESH_MS ? seen : null, {
      pose: poses[pose]?.dataset.pose ?? null,
      moved,
      patient: asked > 0 && now - asked > PATIENCE_MS,
      auto: auto.checked,
    });
    // Whoever cannot turn, or is seen otherwise than they are, is not asked for ever.
    if (asked === 0 && told.dots.light && told.dots.distance !== false) asked = now;
    say(told.words);
    for (const [name, good] of Object.entries(told.dots)) dot(name, good);
    if (!told.good || calm === now) since = now;
    const held = Math.min(1, (now - since) / HOLD_MS);
    ring.style.strokeDashoffset = String(100 - 100 * held);
    if (held >= 1) take();
  }

  /** Ask what the appliance sees, unless it is asked already or was just now. */
  async function glance(shown, now) {
    if (glancing || now - glancedAt < GLANCE_MS || document.hidden) return;
    glancing = true;
    glancedAt = now;
    try {
      draw(sent, video, shown);
      const picture = await new Promise((done) => sent.canvas.toBlob(done, "image/jpeg", 0.75));
      const answer = picture && stream ? await glanced(picture) : null;
      if (answer) [seen, seenAt] = [answer, performance.now()];
    } finally {
      glancing = false;
    }
  }

  function dot(name, good) {
    place.querySelector(`[data-light="${name}"]`).className = good === null ? "dot" : good ? "dot good" : "dot warn";
  }

  function say(words) {
    if (hint.textContent !== words) hint.textContent = words;
  }

  async function take() {
    if (busy || !stream) return;
    busy = true;
    button.setAttribute("aria-busy", "true");
    try {
      const full = canvas({ width: video.videoWidth, height: video.videoHeight });
      full.drawImage(video, 0, 0);
      const picture = await new Promise((done) => full.canvas.toBlob(done, "image/jpeg", 0.95));
      captured = before;
      moved = false;
      say(WORDS.looking);
      const verdict = await taken(picture);
      asked = 0;
      if (verdict.accepted) pose += 1;
      else {
        moved = true;
        say(verdict.words);
        await new Promise((done) => setTimeout(done, 1800));
      }
      mark();
    } finally {
      busy = false;
      since = performance.now();
      button.removeAttribute("aria-busy");
    }
  }

  function mark() {
    for (const [place_, each] of poses.entries()) {
      each.toggleAttribute("data-done", place_ < pose);
      if (place_ === pose) each.setAttribute("aria-current", "step");
      else each.removeAttribute("aria-current");
    }
  }

  button.addEventListener("click", take);
  addEventListener("pagehide", end);
  return { open, end };
}

function canvas({ width, height }) {
  const made = document.createElement("canvas");
  made.width = width;
  made.height = height;
  return made.getContext("2d", { willReadFrequently: true });
}

/** The part of the video that the panel shows: 4 to 3, from its middle. */
function visible({ videoWidth, videoHeight }) {
  const width = Math.min(1, (SHOWN * videoHeight) / videoWidth);
  const height = Math.min(1, videoWidth / SHOWN / videoHeight);
  return { x: (1 - width) / 2, y: (1 - height) / 2, width, height };
}

/** A part of a part. */
function within(outer, inner) {
  return {
    x: outer.x + inner.x * outer.width,
    y: outer.y + inner.y * outer.height,
    width: inner.width * outer.width,
    height: inner.height * outer.height,
  };
}

/** The points of a part of the video, given in shares of it. */
function pixels(context, video, part) {
  draw(context, video, part);
  return context.getImageData(0, 0, context.canvas.width, context.canvas.height).data;
}

function draw(context, video, part) {
  const { width, height } = context.canvas;
  const { videoWidth, videoHeight } = video;
  context.drawImage(
    video,
    part.x * videoWidth,
    part.y * videoHeight,
    part.width * videoWidth,
    part.height * videoHeight,
    0,
    0,
    width,
    height,
  );
}
