// A pairing link: its code stands in the fragment, which no server ever sees. Take it into the form and out of
// the address, and send it: a television has no keyboard.
const form = document.querySelector("[data-pair]");
const code = form?.elements.namedItem("code");

if (!take()) code?.focus();
// A link that is opened where this page is shown already changes the fragment alone, and loads nothing.
addEventListener("hashchange", take);

/** Whether there was a code, and it is on its way. */
function take() {
  const given = location.hash.slice(1);
  if (!given) return false;
  history.replaceState(null, "", location.pathname);
  if (!code) return false;
  code.value = given;
  form.requestSubmit();
  return true;
}
