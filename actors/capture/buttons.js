// Tells of presses of the game's buttons. The captures put it into an isolated world of each document: the page sees
// neither it nor its names. It listens first and passively, reads a few elements, changes nothing, never clicks, and
// keeps its failures to itself: a click goes through whatever happens here. One copy serves both captures, so that both
// tell of a press by the same key.
((rules, binding) => {
  "use strict";
  if (globalThis.pressesAreTold) return;
  globalThis.pressesAreTold = true;
  const AROUND = 5, DEPTH = 10, LONGEST = 60;
  const page = Math.random().toString(36).slice(2) + Math.random().toString(36).slice(2);
  const known = rules.map(([text, place]) => [new RegExp(text, "i"), place === null ? null : new RegExp(place, "i")]);
  const AMOUNTS = ['[class*="_amountInputContainer_"] input', '[class*="_buySection_"] input', 'input[type="number"]',
    'input[placeholder*="amount" i]'];
  let count = 0;

  const classOf = (element) => element.getAttribute("class") ?? "";
  const isButton = (element) => element.tagName === "BUTTON" || element.getAttribute("role") === "button";
  const textOf = (element) => {
    const text = element.textContent;
    return text.length > 500 ? null : text.replace(/\s+/g, " ").trim();
  };

  function find(path) {
    for (let at = 0; at < Math.min(path.length, DEPTH); at += 1) {
      const element = path[at];
      if (element.getElementsByTagName("button").length > 1) return null; // the space between buttons
      const text = textOf(element);
      const around = path.slice(0, at + 1 + AROUND).map(classOf).join(" ").slice(0, 2000);
      const fits = ([label, place]) => label.test(text) && (place === null ? isButton(element) : place.test(around));
      if (text !== null && text.length <= LONGEST && known.some(fits)) {
        return { text, classes: around, isButton: isButton(element) };
      }
      if (isButton(element)) return null; // a button of another kind
    }
    return null;
  }

  function amount() {
    for (const selector of AMOUNTS) {
      const input = document.querySelector(selector);
      if (input !== null) return /^[\d.,\s]{0,24}$/.test(input.value) ? input.value : null;
    }
    return null;
  }

  function percent() {
    const chosen = document.querySelector('[class*="_percentageBtn_"][class*="_active_"]');
    return chosen === null ? null : textOf(chosen)?.slice(0, 10) ?? null;
  }

  function tell(event) {
    const pressed = find(event.composedPath().filter((each) => each instanceof Element));
    if (pressed === null) return;
    count += 1;
    const told = { page, count, atMs: performance.timeOrigin + event.timeStamp,
      ageMs: performance.now() - event.timeStamp, origin: location.origin, trusted: event.isTrusted, amount: amount(), percent: percent(), ...pressed };
    globalThis[binding](JSON.stringify(told));
  }

  addEventListener("click", (event) => { try { tell(event); } catch { /* the click matters, this does not */ } },
    { capture: true, passive: true });
})(RULES, BINDING);
