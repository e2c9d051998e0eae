// Where the pictures of an enrolment come from: files, chosen, dropped or pasted; the webcam; the door camera.
import { ask } from "./asking.js";
import { below, draft, fault, find } from "./people-draft.js";
import { add, shots, snapshot } from "./people-shots.js";
import { sentence } from "./people-tiles.js";

const REFUSED = {
  NotAllowedError: "The browser was not allowed to use the webcam. Allow it beside the address, then try again.",
  NotFoundError: "This device has no webcam. Choose files, or use the door camera.",
  TypeError: "The appliance was not reached. Is the network there? Try again.",
};

function addFiles(files) {
  for (const file of files) add(file, file.name || "Pasted picture", "photo");
}

const drop = find("[data-drop]");
find("[data-files]").addEventListener("change", (event) => {
  addFiles(event.target.files);
  event.target.value = "";
});
for (const name of ["dragenter", "dragover"]) {
  addEventListener(name, (event) => {
    if (!draft.id || draft.done) return;
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) addEventListener(name, () => drop.classList.remove("over"));
addEventListener("drop", (event) => {
  if (!draft.id || draft.done) return;
  event.preventDefault();
  addFiles(event.dataTransfer.files);
});
addEventListener("paste", (event) => {
  if (draft.id && !draft.done) addFiles([...event.clipboardData.files].filter((each) => each.type.startsWith("image/")));
});

let cam = null;
let looks = new AbortController();

/** The webcam's part of the page is fetched for whoever wants it. */
async function made() {
  const { webcam } = await import("./webcam.js");
  return webcam(
    find("[data-webcam]"),
    async (picture) => {
      const shot = await add(picture, `Webcam picture ${shots.length + 1}`, "webcam");
      if (!shot.photo) return { accepted: false, words: shot.words };
      const { verdict, words, advice } = shot.photo;
      return { accepted: verdict !== "refused", words: `${sentence(words)}. ${sentence(advice)}` };
    },
    async (picture) => {
      try {
        const signal = AbortSignal.any([looks.signal, AbortSignal.timeout(4000)]);
        const answer = await ask(below("look"), { body: picture, signal });
        return answer.busy ? null : answer;
      } catch {
        return null; // The page has measures of its own, and asks again.
      }
    },
  );
}

find("[data-webcam-open]").addEventListener("click", async () => {
  fault("");
  try {
    cam ??= await made();
    await cam.open();
  } catch (error) {
    cam?.end();
    fault(REFUSED[error.name] ?? error.message);
  }
});
find("[data-webcam-close]").addEventListener("click", () => {
  cam?.end();
  find("[data-webcam-open]").focus();
});

find("[data-snapshot]")?.addEventListener("click", async (event) => {
  const button = event.currentTarget;
  button.setAttribute("aria-busy", "true");
  await snapshot(find("[data-camera]").value);
  button.removeAttribute("aria-busy");
});

/** While somebody is being enrolled nothing is looked at: it would be asked about a draft that is gone. */
export function looking(wanted) {
  if (!wanted) looks.abort();
  else looks = new AbortController();
}

/** The webcam is needed no more. */
export function close() {
  cam?.end();
}
