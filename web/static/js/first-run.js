// The one-time code stands in the address's fragment, which no server ever sees: take it into the form,
// and out of the address and the history.
const form = document.querySelector("[data-first-run]");
const code = form?.elements.namedItem("code");
const given = new URLSearchParams(location.hash.slice(1)).get("code") ?? location.hash.slice(1);
if (code && given) {
  code.value = given;
  form.querySelector("[data-code]").hidden = true;
  form.elements.namedItem("name").focus();
}
if (location.hash) history.replaceState(null, "", location.pathname);
