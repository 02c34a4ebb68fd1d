// What is asked of the server and sent to it. Nothing is lost while it is gone: what was not answered is sent again,
// under the same key, so that it counts once.

const AGAIN = 1000, PATIENCE = 30000;
let waiting = Promise.resolve(), unsaved = 0, lost = false, tellGone = () => {};

export class Refused extends Error {
  constructor(status, { error, remedy }) {
    super(error || "refused");
    this.status = status;
    this.remedy = remedy || "";
  }
}

// `tell(lost, unsaved)` is called when the server goes or comes back, and when something waits to be saved.
export function onGone(tell) {
  tellGone = tell;
}

export function unsavedDecisions() {
  return unsaved;
}

function mark(isLost) {
  lost = isLost;
  tellGone(lost, unsaved);
}

async function once(path, options) {
  const response = await fetch(path, { ...options, signal: AbortSignal.timeout(PATIENCE) });
  const value = await response.json();  // a proxy's page is no answer, and is asked again
  if (!response.ok) throw new Refused(response.status, value);
  return value;
}

async function untilAnswered(path, options) {
  for (;;) {
    try {
      const value = await once(path, options);
      if (lost) mark(false);
      return value;
    } catch (error) {
      if (error instanceof Refused) {
        if (lost) mark(false);
        throw error;
      }
      mark(true);
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }
}

export function get(path, parameters) {
  return untilAnswered(parameters ? path + "?" + new URLSearchParams(parameters) : path, {});
}

// One after the other, in the order in which they were made. `makeBody` is called when its turn has come, and may give
// null: then there is nothing to send. What was answered is taken by `take` before the next is sent.
export function send(path, makeBody, take) {
  unsaved += 1;
  const answer = waiting.then(async () => {
    const body = makeBody();
    if (body === null) return null;
    const content = JSON.stringify({ ...body, key: crypto.randomUUID() });
    const value = await untilAnswered(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: content });
    take(value);
    return value;
  }).finally(() => {
    unsaved -= 1;
    if (lost) tellGone(lost, unsaved);
  });
  waiting = answer.catch(() => {});
  if (lost) tellGone(lost, unsaved);
  return answer;
}
