// Making a key in the page: the private half is saved as a file here, the public half is put into the form.
import { able, identityFile, makeKey } from "./age-key.js";

const FILE = "office-door-key.txt";
const WRONG_HALF = "This is the private half: keep it, and paste the public one (for ssh, the file that ends in .pub).";
const place = document.querySelector("[data-make-key]");
if (place) begin(place);

// A private key that is pasted by mistake stays in this page.
const PRIVATE = /PRIVATE KEY-----|AGE-SECRET-KEY-/i;
for (const field of document.querySelectorAll("form [name=key]")) {
  field.addEventListener("input", () => field.setCustomValidity(PRIVATE.test(field.value) ? WRONG_HALF : ""));
}

function begin(at) {
  const find = (name) => at.querySelector(`[data-${name}]`);
  const button = find("make");
  button.addEventListener("click", async () => {
    if (!(await able())) {
      find("unable").hidden = false;
      button.hidden = true;
      return;
    }
    const made = await makeKey();
    const text = identityFile(made);
    save(text);
    find("file").textContent = FILE;
    at.querySelector("input[name=key]").value = made.recipient;
    find("again").addEventListener("click", () => save(text));
    find("made").hidden = false;
    button.hidden = true;
    at.querySelector("input[name=kept]").focus();
  });
}

function save(text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = FILE;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
