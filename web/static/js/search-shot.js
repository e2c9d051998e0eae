// Showing a thing to the camera: the live picture beside the form, and taking it, at once or in three seconds.

const COUNT_S = 3;
const root = document.querySelector("[data-shot]");
const form = root?.closest("[data-shot-form]");
const picture = root?.querySelector("[data-shot-picture]");
const count = root?.querySelector("[data-shot-count]");
const take = root?.querySelector("[data-shot-take]");
const later = root?.querySelector("[data-shot-later]");
let number = 0;
let left = 0;
let timer = 0;

function look() {
  if (document.hidden) return;
  number += 1;
  picture.src = `${root.dataset.live}/${encodeURIComponent(form.elements.camera.value)}/device.mjpeg?${number}`;
}

function end() {
  picture.removeAttribute("src");
}

function down() {
  count.textContent = String(left);
  count.hidden = left === 0;
  if (left === 0) {
    form.requestSubmit(take);
    return;
  }
  left -= 1;
  timer = setTimeout(down, 1000);
}

if (root) {
  form.elements.camera.addEventListener?.("change", look);
  picture.addEventListener("error", () => {
    end();
    setTimeout(look, 2000);
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? end() : look()));
  addEventListener("pagehide", end);
  addEventListener("pageshow", (event) => event.persisted && look());
  later.hidden = false;
  later.addEventListener("click", () => {
    // What is missing is said before anybody stands there holding something.
    if (!form.reportValidity()) return;
    clearTimeout(timer);
    left = COUNT_S;
    down();
  });
  // It takes a moment: one press is enough. A button that is off is not sent, so it is off a moment later.
  form.addEventListener("submit", (event) => {
    event.submitter?.setAttribute("aria-busy", "true");
    setTimeout(() => {
      for (const each of form.querySelectorAll("button")) each.disabled = true;
    });
  });
  addEventListener("pageshow", () => {
    for (const each of form.querySelectorAll("button")) {
      each.disabled = false;
      each.removeAttribute("aria-busy");
    }
  });
  look();
}
