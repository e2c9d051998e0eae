// What to tell who stands before the webcam, and whether that is a picture worth taking. Pure: it is handed
// what was measured here (`near`) and what the appliance saw at a glance (`seen`; null: it has not answered).

const FAR = 0.17;
const NEAR = 0.46;
const ASIDE = 0.17;
const ALOFT = 0.22;
const MIDDLE = { x: 0.5, y: 0.48 };
const TOO_FAR = 0.42;

export const WORDS = {
  straight: "Look straight into the camera",
  left: "Turn your head a little to the left",
  right: "Now a little to the right",
  more_left: "A little more to the left",
  more_right: "A little more to the right",
  back: "Not quite so far: turn back a little",
  dark: "Too dark: face a window or a lamp",
  bright: "Too bright: step out of the glare",
  near: "Go back a little",
  far: "Come closer",
  nobody: "Nobody is to be seen: bring your face into the oval",
  several: "Two faces are to be seen: one at a time, please",
  aside: "Move into the middle",
  unknown: "Bring your face into the oval, and hold still",
  blurred: "Blurred: hold still, or wipe the lens",
  moving: "Hold still",
  good: "Good, hold it",
  any: "As you are is fine, too. Hold it",
  looking: "Looking at it",
  done: "That is all. More pictures are welcome.",
};

/**
 * @param {{light: string, distance: string, sharp: boolean, still: boolean}} near Measured in the page.
 * @param {{faces: number, face: object|null}|null} seen At a glance; null: go by what was measured here.
 * @param {{pose: string|null, moved: boolean, patient: boolean, auto: boolean}} asked Which pose, null after the
 *   last; whether anything moved since the last picture; whether the pose may be any by now; whether pictures
 *   are taken by themselves.
 * @returns {{words: string, good: boolean, dots: {light: boolean, distance: boolean|null, sharp: boolean, still: boolean}}}
 */
export function advice(near, seen, { pose, moved, patient, auto }) {
  const face = seen?.face ?? null;
  const light = near.light !== "good" ? near.light : lit(face);
  const sharp = near.sharp && !face?.reasons.includes("LOW_SHARPNESS");
  const place = seen ? placed(seen) : near.distance;
  const there = place === "good" || place === "unknown";
  const dots = { light: light === "good", distance: place === "unknown" ? null : place === "good", sharp, still: near.still };
  const tell = (words, good = false) => ({ words: WORDS[words], good, dots });

  if (light !== "good") return tell(light);
  if (!there && !(seen === null && patient)) return tell(place);
  if (!sharp) return tell("blurred");
  if (pose === null) return tell("done");
  if (face === null ? !moved && !patient : !patient && !posed(face, pose)) return tell(face ? turning(face, pose) : pose);
  if (!near.still) return tell(face || pose === "straight" ? "moving" : pose);
  if (!auto) return tell(pose);
  return tell(face && !posed(face, pose) ? "any" : place === "unknown" ? "unknown" : "good", true);
}

/** Whether somebody holds the pose. */
export function posed(face, pose) {
  return face.turned === pose && Math.abs(face.turn) < TOO_FAR;
}

function lit(face) {
  if (face?.reasons.includes("LOW_BRIGHTNESS")) return "dark";
  return face?.reasons.includes("HIGH_BRIGHTNESS") ? "bright" : "good";
}

/** How somebody stands: `good`, or what is wrong with it. */
function placed({ faces, face }) {
  if (!face) return "nobody";
  if (faces > 1) return "several";
  if (face.width < FAR) return "far";
  if (face.width > NEAR) return "near";
  return Math.abs(face.x - MIDDLE.x) > ASIDE || Math.abs(face.y - MIDDLE.y) > ALOFT ? "aside" : "good";
}

/** Which way to turn from how somebody looks just now. */
function turning(face, pose) {
  if (pose === "straight") return "straight";
  if (face.turned === pose) return "back";
  const begun = pose === "left" ? face.turn > 0.06 : face.turn < -0.06;
  return begun ? `more_${pose}` : pose;
}
