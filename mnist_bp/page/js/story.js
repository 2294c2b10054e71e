/* The guided story: captions that press the page's own buttons, with the numbers of the network and the image that are
 * shown; see captions.js. */

import { batchGradient, examplesOf, membersOf } from "./batch.js";
import { CAPTIONS } from "./captions.js";
import { network } from "./content.js";
import { byId, element, isNew, setAttributes, setProperty, setText } from "./dom.js";
import { isWide, openPanel } from "./drawer.js";
import { moveExample } from "./examples.js";
import { meanGradient } from "./mini_batch.js";
import { computed, reset, set, setChosen, setStage, state, takeSteps } from "./state.js";
import { missingWords } from "./steps.js";

const EQUALS = "\u00a0=\u00a0"; // a number stays on the line of its name
const SLASH = "/\u2060"; // and a derivative on one line

let panelBefore = null; // the story
let focusNext = null; // the button that gets the focus once it is there
let isFirstVisit = location.hash === ""; // until something was done

const forth = () => (state.story < CAPTIONS.length ? tell(state.story + 1) : leave());
const back = () => state.story > 1 && tell(state.story - 1);

/* Keys while the story is told. */
export const STORY_KEYS = { ArrowRight: forth, PageDown: forth, ArrowLeft: back, PageUp: back, Escape: leave };

export function connectStory() {
  byId("story-start").addEventListener("click", () => {
    tell(1);
    focusNext = "story-next";
  });
  byId("story-next").addEventListener("click", forth);
  byId("story-back").addEventListener("click", back);
  byId("story-skip").addEventListener("click", leave);
}

/* Tell a caption, from 1 on: press what it is about. */
export function tell(place) {
  if (!state.story) panelBefore = state.panel;
  if (state.taken) reset(); // the story is that of the network as it was trained
  if (!computed().y) moveExample(0);
  const { stage, about, isStep } = CAPTIONS[place - 1];
  setChosen(null);
  set({ story: place });
  setStage(stage);
  openPanel(about ? "batch" : isWide.matches ? "numbers" : null);
  if (isStep) stepForAll();
}

async function stepForAll() {
  const members = membersOf(state);
  const costNow = () => meanGradient(network, examplesOf(network, members)).cost;
  const costBefore = costNow();
  state.storyCosts = [costBefore];
  await takeSteps(1, () => batchGradient(network, members));
  set({ storyCosts: [costBefore, costNow()] });
}

/* Leave the page as it is, with the network and the panel from before the story. */
function leave() {
  if (state.taken) reset();
  set({ story: 0 });
  openPanel(panelBefore);
  focusNext = "story-start";
}

export function renderStory(view) {
  const { story, stage, chosen, example } = view;
  const caption = CAPTIONS[story - 1];
  document.body.classList.toggle("has-story", story > 0);
  setProperty(byId("story"), "hidden", !caption);
  setProperty(byId("story-start"), "hidden", story > 0);
  isFirstVisit &&= !story && !stage && !chosen && example !== null;
  setText(byId("story-invitation"), isFirstVisit ? "New here? Take the guided " : "Guided ");
  markAbout(caption, story);
  if (caption) renderCaption(caption, view);
  if (focusNext) byId(focusNext).focus({ preventScroll: true });
  focusNext = null;
}

function renderCaption(caption, view) {
  const { story, y, isBlank } = view;
  const texts = y
    ? [caption.title(view), caption.words(view).replaceAll(" = ", EQUALS).replaceAll("/", SLASH)]
    : ["", missingWords(isBlank)];
  if (isNew(byId("story-words"), "texts", texts.join())) {
    byId("story-words").replaceChildren(element("strong", {}, texts[0]), " ", texts[1]);
  }
  setText(byId("story-progress"), `${story} of ${CAPTIONS.length}`);
  setText(byId("story-next"), story < CAPTIONS.length ? "Next →" : "Done");
  setAttributes(byId("story-back"), { "aria-disabled": story === 1 });
}

/* The caption in one text, for those who hear the page. */
export function storySentence() {
  return byId("story-words").textContent;
}

/* Mark the element of a panel that the caption is about, and bring it in sight. */
function markAbout(caption, story) {
  const about = caption?.about ? document.querySelector(caption.about) : null;
  for (const old of document.querySelectorAll(".is-about")) if (old !== about) old.classList.remove("is-about");
  about?.classList.add("is-about");
  if (isNew(byId("story"), "story", story) && about) {
    const panels = byId("panels");
    const top = (node) => node.getBoundingClientRect().top;
    panels.scrollTop += top(about) - top(panels) - panels.clientHeight / 2; // the window stays
  }
}

/* What the caption lights up in the diagram; see spot.js. */
export function storyLights(view) {
  const caption = CAPTIONS[view.story - 1];
  return view.y && caption?.lights ? caption.lights(view) : [];
}
