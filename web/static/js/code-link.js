// The one-time code of a link stands in the address's fragment, which no server ever sees: take it into the
// form, and out of the address and the history.
const form = document.querySelector("[data-code-form]");
const code = form?.elements.namedItem("code");

take();
// A link that is opened where its page is shown already changes the fragment alone, and loads nothing.
addEventListener("hashchange", take);

function take() {
  const given = location.hash.slice(1);
  if (!given) return;
  history.replaceState(null, "", location.pathname);
  if (!code) return;
  code.value = given;
  form.querySelector("[data-code]").hidden = true;
  form.querySelector("input:not([type=hidden]):not([name=code])")?.focus();
}
