// Tick boxes of what there is: where there are many, a field finds some of them.

/** Show the fields of an element that find something; without this script there are none. */
export function showFinders(root = document) {
  for (const each of root.querySelectorAll("[data-finder]")) each.hidden = false;
}

/** What is looked for in which picker of an element. */
export function lookedFor(root) {
  return new Map([...root.querySelectorAll("[data-finder] input")].map((each) => [each.closest("[data-picker]").id, each.value]));
}

/** Look for the same again, in pickers that are new. */
export function lookAgain(root, looked) {
  for (const field of root.querySelectorAll("[data-finder] input")) {
    field.value = looked.get(field.closest("[data-picker]").id) ?? "";
    find(field);
  }
}

function find(field) {
  const wanted = field.value.trim().toLocaleLowerCase();
  for (const each of field.closest("[data-picker]").querySelectorAll(".pick")) {
    const chosen = each.querySelector("input").checked;
    each.hidden = !chosen && !each.textContent.toLocaleLowerCase().includes(wanted);
  }
}

document.addEventListener("input", (event) => {
  if (event.target.closest?.("[data-finder]")) find(event.target);
});

// Enter in such a field finds, and sends nothing.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.closest?.("[data-finder]")) event.preventDefault();
});

showFinders();
