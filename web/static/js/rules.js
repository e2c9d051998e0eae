// The editor of a rule: its sentence follows what is chosen, and rows come and go without loading the page anew.
// The server says what the form is like with what was filled in; here it is only put in place.
import { stillSignedIn } from "./asking.js";
import { lookAgain, lookedFor, showFinders } from "./rules-picker.js";
import { toast } from "./telling.js";

const PAUSE_MS = 150;
const form = document.querySelector("form[data-rule]");

if (form) begin();
document.querySelector("[data-focus]")?.focus();

function begin() {
  let timer = null;
  withScript(form);
  form.addEventListener("change", (event) => {
    if (event.target.closest("[data-finder]") || event.target.name === "name") return;
    clearTimeout(timer);
    timer = setTimeout(() => renew("look"), PAUSE_MS);
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest('button[name="do"]');
    if (!button || button.value === "save" || button.value === "dry-run") return;
    event.preventDefault();
    clearTimeout(timer);
    renew(button.value);
  });
}

function withScript(root) {
  for (const each of root.querySelectorAll("[data-without-script]")) each.hidden = true;
  showFinders(root);
}

let latest = 0;

/** Ask what the form is like after this, and make it so. */
async function renew(what) {
  const number = ++latest;
  const sent = filled(form);
  const body = new URLSearchParams(sent);
  body.set("do", what);
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", headers: { Accept: "text/html" }, body, credentials: "same-origin", redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("form[data-rule]");
    if (!fresh || number !== latest) return;
    if (shape(fresh) === shape(form)) followWords(fresh);
    else if (filled(form) === sent) replace(fresh, what);
    else renew(what); // somebody went on typing: what they typed since then goes along
  } catch {
    toast("That did not work. Is the appliance reached?");
    stillSignedIn();
  } finally {
    if (number === latest) form.removeAttribute("aria-busy");
  }
}

/** What is filled in. */
function filled(of) {
  return new URLSearchParams([...new FormData(of)].map(([name, value]) => [name, String(value)])).toString();
}

/** Which controls there are, and what they offer. */
function shape(of) {
  return [...of.elements].map((each) => `${each.name}=${each.type === "checkbox" ? each.value : ""}${[...(each.options ?? [])].map((one) => one.value)}`).join("\n");
}

function followWords(fresh) {
  for (const each of fresh.querySelectorAll(".clause")) {
    const shown = document.getElementById(each.id);
    const [from, to] = [each.querySelector("[data-phrase]"), shown?.querySelector("[data-phrase]")];
    if (!to) continue;
    shown.hidden = each.hidden;
    to.textContent = from.textContent;
    to.className = from.className;
  }
  for (const each of fresh.querySelectorAll("[data-part]")) {
    form.querySelector(`[data-part="${each.dataset.part}"]`).hidden = each.hidden;
  }
}

function replace(fresh, what) {
  const open = [...form.querySelectorAll(".clause[open]")].map((each) => each.id);
  const focused = document.activeElement?.id;
  const looked = lookedFor(form);
  const [, verb, place] = /^([a-z-]+):?(\d*)$/.exec(what) ?? [];
  const moved = /^(remove|raise)-action$/.test(verb ?? "");
  form.replaceChildren(...fresh.childNodes);
  withScript(form);
  lookAgain(form, looked);
  for (const each of form.querySelectorAll(".clause")) {
    if (open.includes(each.id) && !(moved && each.id.startsWith("c-action-"))) each.open = true;
  }
  const last = form.querySelectorAll('[id^="c-action-"]').length - 1;
  const next = {
    "add-hours": () => [...form.querySelectorAll(".hours")].at(-1)?.querySelector('input[type="checkbox"]'),
    "remove-hours": () => document.getElementById("add-hours"),
    "add-action": () => form.querySelector(`#c-action-${last} summary`),
    "remove-action": () => form.querySelector(`#c-action-${Math.min(Number(place), last)} summary`),
    "raise-action": () => form.querySelector(`#c-action-${Number(place) - 1} summary`),
  }[verb];
  (next?.() ?? document.getElementById(focused))?.focus();
}
