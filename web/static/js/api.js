// Requests to the API that are not the switch's or a restart's: reading, ordering with a body, deleting. An answer that
// is no success becomes an Error whose message is the server's own sentence.

export async function ask(path, { method = "GET", body } = {}) {
  let response;
  try {
    const headers = body ? { "Content-Type": "application/json" } : {};
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("The control room does not answer.");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) throw new Error(answer?.error?.message ?? `The control room answered ${response.status}.`);
  return answer;
}

/** Call `work` in `first` seconds and `seconds` after each end of it, while the page is seen; at once when it is seen again. */
export function repeat(work, seconds, first = 0) {
  let timer = 0;
  let running = false;
  const turn = async () => {
    clearTimeout(timer);
    if (running || document.hidden) return;
    running = true;
    try {
      await work();
    } catch {
      // the pill tells that the control room is away; what is shown stays
    }
    running = false;
    timer = setTimeout(turn, seconds * 1000);
  };
  document.addEventListener("visibilitychange", turn);
  timer = setTimeout(turn, first * 1000);
  return turn;
}
