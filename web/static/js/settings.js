// After looking at a change, the reader begins at what would change.
const proposal = document.querySelector("[data-focus]");
if (proposal) {
  proposal.focus({ preventScroll: true });
  proposal.scrollIntoView({ block: "start" });
}

// A link to one setting opens what it is folded into.
const wanted = document.getElementById(decodeURIComponent(location.hash.slice(1)));
const folded = wanted?.closest("[data-experts]");
if (folded && !folded.open) {
  folded.open = true;
  wanted.scrollIntoView();
}
