// After looking at a change, the reader begins at what would change.
const proposal = document.querySelector("[data-focus]");
if (proposal) {
  proposal.focus({ preventScroll: true });
  proposal.scrollIntoView({ block: "start" });
}
