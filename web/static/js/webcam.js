// The webcam with a guide: straight, left, right. It takes a picture when light, distance, sharpness and
// stillness are good, or when its button is pressed; what becomes of it is for whoever is handed it.
import { OVAL, difference, distance, gray, light, sharp, still } from "./people-measures.js";

const LOOK_MS = 120;
const HOLD_MS = 900;
const PATIENCE_MS = 3000;
const MOVED = 7;
const SHOWN = 4 / 3;
const SMALL = { width: 96, height: 72 };
const CLOSE = { width: 160, height: 210 };

const WORDS = {
  straight: "Look straight into the camera",
  left: "Turn your head a little to the left",
  right: "Now a little to the right",
  dark: "Too dark: face a window or a lamp",
  bright: "Too bright: step out of the glare",
  near: "Go back a little",
  far: "Come closer",
  unknown: "Bring your face into the oval, and hold still",
  blurred: "Blurred: hold still, or wipe the lens",
  moving: "Hold still",
  good: "Good, hold it",
  looking: "Looking at it",
  done: "That is all. More pictures are welcome.",
};

/**
 * @param {HTMLElement} place The panel.
 * @param {(picture: Blob) => Promise<{accepted: boolean, words: string}>} taken Has a picture judged.
 */
export function webcam(place, taken) {
  const video = place.querySelector("[data-video]");
  const ring = place.querySelector("[data-ring]");
  const hint = place.querySelector("[data-hint]");
  const auto = place.querySelector("[data-auto]");
  const button = place.querySelector("[data-take]");
  const poses = [...place.querySelectorAll("[data-pose]")];
  const small = canvas(SMALL);
  const close = canvas(CLOSE);
  let stream = null;
  let timer = 0;
  let pose = 0;
  let since = 0;
  let calm = 0;
  let before = null;
  let captured = null;
  let moved = true;
  let busy = false;

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
    const shown = visible(video);
    const whole = pixels(small, video, shown);
    const face = gray(pixels(close, video, within(shown, OVAL)));
    const points = gray(whole);
    const seen = {
      light: light(face),
      distance: distance(whole, SMALL.width),
      sharp: sharp(face, CLOSE.width),
      still: still(points, before),
    };
    before = points;
    if (captured !== null && difference(points, captured) > MOVED) moved = true;
    show(seen);
    const now = performance.now();
    if (seen.light !== "good" || !seen.sharp || !seen.still) calm = now;
    // How far away somebody is, is guessed by colour: it asks for patience, and then stands in nobody's way.
    const near = seen.distance === "near" || seen.distance === "far";
    const good = calm < now && (!near || now - calm > PATIENCE_MS);
    if (!good || !moved || !auto.checked || pose >= poses.length) since = now;
    const held = Math.min(1, (now - since) / HOLD_MS);
    ring.style.strokeDashoffset = String(100 - 100 * held);
    if (held >= 1) take();
  }

  function show(seen) {
    dot("light", seen.light === "good");
    dot("distance", seen.distance === "unknown" ? null : seen.distance === "good");
    dot("sharp", seen.sharp);
    dot("still", seen.still);
    if (seen.light !== "good") say(WORDS[seen.light]);
    else if (seen.distance === "near" || seen.distance === "far") say(WORDS[seen.distance]);
    else if (!seen.sharp) say(WORDS.blurred);
    else if (pose >= poses.length) say(WORDS.done);
    else if (!moved) say(WORDS[poses[pose].dataset.pose]);
    else if (!seen.still) say(pose === 0 ? WORDS.moving : WORDS[poses[pose].dataset.pose]);
    else if (!auto.checked) say(WORDS[poses[pose].dataset.pose]);
    else say(seen.distance === "unknown" ? WORDS.unknown : WORDS.good);
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
  return context.getImageData(0, 0, width, height).data;
}
