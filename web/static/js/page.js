// Small hands for the page: find, set text and class only when they change, so that nothing flickers and nothing is
// laid out again for the same value. Data enters the page as text only.

export const find = (id) => document.getElementById(id);

export function text(element, value) {
  if (element && element.textContent !== value) element.textContent = value;
}

export function classes(element, value) {
  if (element && element.className !== value) element.className = value;
}

export function data(element, name, value) {
  if (element && element.dataset[name] !== value) element.dataset[name] = value;
}

export function show(element, visible) {
  if (element && element.hidden === visible) element.hidden = !visible;
}

/** Make an element with a class and a text. */
export function make(tag, className, content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (content !== undefined) element.textContent = content;
  return element;
}

let answer = null; // to the question on screen

find("confirm").addEventListener("close", () => {
  if (find("confirm").open) return; // the event of an earlier question, whose answer was no
  answer?.(find("confirm").returnValue === "yes");
  answer = null;
});

/** Ask before something that hurts: resolves to true when the user says yes. */
export function confirmed({ title, words, yes }) {
  const dialog = find("confirm");
  answer?.(false);
  text(find("confirm-title"), title);
  text(find("confirm-text"), words);
  text(find("confirm-yes"), yes);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => {
    answer = resolve;
  });
}

/** Post to the API: the answer's JSON, or an Error whose message is the server's own sentence. */
export async function post(path) {
  let response;
  try {
    response = await fetch(path, { method: "POST" });
  } catch {
    throw new Error("The control room does not answer, so what became of this is not known.");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Error(answer?.error?.message ?? `The control room answered ${response.status}.`);
  return answer;
}
