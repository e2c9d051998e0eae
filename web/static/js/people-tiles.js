// Pictures of an enrolment as tiles: the picture (which stays in the browser), the faces, the verdict, and
// what is asked. Answers go to whoever made the tiles.

/** An element with its properties and what is in it. */
export function el(tag, properties = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...inside.filter((each) => each !== null && each !== undefined));
  return made;
}

/** A symbol that the page brought along. */
export function symbol(name) {
  const found = document.querySelector("[data-icons]").content.querySelector(`[data-icon="${name}"] svg`);
  return found.cloneNode(true);
}

const TONES = { accepted: ["good", "check"], question: ["warn", "question"], refused: ["bad", "warning"] };

/**
 * One picture.
 * @param {{key: string, label: string, url: string|null, photo: object|null, words: string}} shot
 * @param {string} name Of who is enrolled.
 * @param {{drop: Function, face: Function, known: Function, addTo: Function}} answers
 */
export function tile(shot, name, answers) {
  const { photo } = shot;
  const state = photo ? photo.verdict : shot.words ? "refused" : "pending";
  const choosing = photo?.faces.length > 1;
  const open = photo?.reasons.some((each) => each.code === "SEVERAL_FACES");
  return el(
    "li",
    { class: `tile ${state}${open ? " wide" : ""}`, "data-state": state, "data-key": shot.key },
    picture(shot, choosing, answers),
    el(
      "div",
      { class: "tile-words" },
      verdict(shot, state),
      choosing ? chosen(shot) : null,
      open && shot.url ? crops(shot, answers) : null,
      ...questions(photo, name, shot, answers),
    ),
    el(
      "button",
      { class: "button quiet icon-only tile-drop", type: "button", "aria-label": `Leave out ${shot.label}`, onclick: () => answers.drop(shot), "data-focus": `drop-${shot.key}` },
      symbol("close"),
    ),
  );
}

function picture(shot, choosing, answers) {
  const frame = el("div", { class: "tile-frame" });
  if (!shot.url) {
    frame.append(symbol("camera"));
    return frame;
  }
  const shown = el("div", { class: "tile-shot" });
  const image = el("img", { src: shot.url, alt: shot.label, onerror: () => shown.classList.add("unseen-picture") });
  shown.append(image);
  const size = shot.photo?.size;
  if (size) {
    shown.style.aspectRatio = `${size[0]} / ${size[1]}`;
    shown.classList.add(size[0] / size[1] > 4 / 3 ? "broad" : "tall");
    for (const face of shot.photo.faces) shown.append(box(shot, face, size, choosing, answers));
  }
  frame.append(shown);
  return frame;
}

function box(shot, face, [width, height], choosing, answers) {
  const mine = shot.photo.chosen === face.face;
  const label = `Face ${face.face}, ${face.place}${face.words ? `: ${face.words}` : ""}`;
  const made = choosing
    ? el(
        "button",
        { class: `face-box${mine ? " mine" : ""}`, type: "button", "aria-pressed": String(mine), "aria-label": label, title: label, onclick: () => answers.face(shot, mine ? null : face.face), "data-focus": `face-${shot.key}-${face.face}` },
        el("span", { "aria-hidden": "true" }, String(face.face)),
      )
    : el("span", { class: "face-box only", "aria-hidden": "true" });
  made.style.left = `${(100 * face.box[0]) / width}%`;
  made.style.top = `${(100 * face.box[1]) / height}%`;
  made.style.width = `${(100 * face.box[2]) / width}%`;
  made.style.height = `${(100 * face.box[3]) / height}%`;
  return made;
}

/** The faces, larger: for fingers. Whoever cannot see them has the buttons in the picture. */
function crops(shot, answers) {
  const [width, height] = shot.photo.size;
  const made = shot.photo.faces.map((face) => {
    const [left, top, across, down] = face.box;
    const side = 1.5 * Math.max(across, down);
    const crop = el("button", { class: "face-crop", type: "button", tabindex: "-1", "aria-hidden": "true", onclick: () => answers.face(shot, face.face) });
    crop.style.backgroundImage = `url("${shot.url}")`;
    crop.style.backgroundSize = `${(100 * width) / side}% ${(100 * height) / side}%`;
    crop.style.backgroundPosition = `${share(left + across / 2 - side / 2, width - side)}% ${share(top + down / 2 - side / 2, height - side)}%`;
    return crop;
  });
  return el("div", { class: "face-crops" }, ...made);
}

/** Where a part begins, in hundredths of where it could begin. */
function share(begin, room) {
  return room > 0 ? Math.min(100, Math.max(0, (100 * begin) / room)) : 50;
}

function verdict(shot, state) {
  if (state === "pending") return el("p", { class: "tile-verdict", "aria-busy": "true" }, "Looking at it");
  if (!shot.photo) return el("p", { class: "tile-verdict bad" }, symbol("warning"), el("span", {}, shot.words));
  const [tone, icon] = TONES[state];
  const words = state === "accepted" ? `Good, quality ${shot.photo.quality}` : sentence(shot.photo.words);
  return el("p", { class: `tile-verdict ${tone}` }, symbol(icon), el("span", {}, words));
}

function chosen({ photo, url }) {
  if (!url && !photo.chosen) return el("p", { class: "muted small" }, "The picture is not here any more to click the face that is meant. Leave it out, and add it again.");
  const more = photo.more_faces ? ` ${photo.more_faces} smaller ones are not shown.` : "";
  const words = photo.chosen ? `Face ${photo.chosen} is meant.` : "Click the face that is meant.";
  return el("p", { class: "muted small" }, `${words}${more}`);
}

function questions(photo, name, shot, answers) {
  const asked = [];
  for (const reason of photo?.reasons ?? []) {
    if (reason.code === "LOOKS_LIKE") {
      for (const each of photo.alike.slice(0, 3)) {
        asked.push(
          el(
            "div",
            { class: "tile-question" },
            el("p", {}, `Is it ${each.name}? They look ${each.words}.`),
            el("div", { class: "row" }, act(`It is ${each.name}`, () => answers.addTo(each), `is-${shot.key}-${each.subject}`), act("Somebody else", () => answers.known(shot, "alike"), `else-${shot.key}-${each.subject}`)),
          ),
        );
      }
    } else if (reason.code === "DOES_NOT_MATCH") {
      asked.push(
        el(
          "div",
          { class: "tile-question" },
          el("p", {}, `Is it ${name} all the same?`),
          el("div", { class: "row" }, act(`It is ${name}`, () => answers.known(shot, "different"), `own-${shot.key}`), act("Leave it out", () => answers.drop(shot), `out-${shot.key}`)),
        ),
      );
    } else if (reason.code === "SAME_PHOTO" && photo.same_as) {
      asked.push(el("p", { class: "muted small" }, `It was given for ${photo.same_as.name}.`));
    } else if (reason.code !== "SEVERAL_FACES") {
      asked.push(el("p", { class: "muted small" }, `${sentence(reason.advice)}.`));
    }
  }
  return asked;
}

function act(words, onclick, focus) {
  return el("button", { class: "button", type: "button", onclick, "data-focus": focus }, words);
}

export function sentence(words) {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
