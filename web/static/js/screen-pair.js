// A pairing link: its code stands in the fragment, which no server ever sees. Take it into the form and out of
// the address, and send it: a television has no keyboard.
const form = document.querySelector("[data-pair]");
const code = form?.elements.namedItem("code");
const given = location.hash.slice(1);
if (given) history.replaceState(null, "", location.pathname);
if (code && given) {
  code.value = given;
  form.requestSubmit();
} else {
  code?.focus();
}
