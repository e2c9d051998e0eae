// On every page: the theme's button, questions before what cannot be undone, times, copying.
import { localise, toast } from "./telling.js";

const AGAIN_MS = 3000;

function dark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.addEventListener("click", () => {
    const next = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    // A cookie, so that the next page comes in it and nobody has to wait for a script to be told.
    document.cookie = `__Host-theme=${next}; Path=/; Max-Age=31536000; Secure; SameSite=Lax`;
  });
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const opener = target?.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  const closer = target?.closest("[data-closes]");
  if (closer) closer.closest("dialog")?.close();
  const copier = target?.closest("[data-copies]");
  if (copier) copy(document.getElementById(copier.dataset.copies));
});

async function copy(from) {
  if (!from) return;
  try {
    await navigator.clipboard.writeText("value" in from ? from.value : from.textContent.trim());
    toast("Copied.");
  } catch {
    toast("Your browser did not allow copying. Select the text and copy it.");
  }
}

// Whoever is told to wait need not press anything, and it is called as before: with what stands behind the # of a one-time link, which no server ever sees.
for (const again of document.querySelectorAll("[data-soon-again]")) {
  again.addEventListener("click", (event) => {
    event.preventDefault();
    location.reload();
  });
  setTimeout(() => location.reload(), AGAIN_MS);
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || !(event.target instanceof HTMLFormElement) || event.target.method !== "post") return;
  const button = event.submitter;
  if (button instanceof HTMLButtonElement) requestAnimationFrame(() => {
    button.disabled = true;
    button.setAttribute("aria-busy", "true");
  });
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll('button[aria-busy="true"]')) {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
});

// Times stand in the page already: what answers to a click comes first, then the reader's own way of writing them.
addEventListener("DOMContentLoaded", () => setTimeout(localise));
