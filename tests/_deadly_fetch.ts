// Requests that end a process, for tests that kill programs.
/** When a program kills itself. */
export interface Moment {
  /** The request, from 1. */
  readonly request: number;
  /** Before it leaves, while it is under way, or when its answer has come. */
  readonly phase: "before" | "within" | "after";
  /** Rounds of the event loop in which it is under way. */
  readonly rounds: number;
}

/** Sends requests, and ends the process at a moment. */
export function deadlyFetch(moment: Moment, end: () => void): typeof fetch {
  let count = 0;
  return async (...args) => {
    if (++count !== moment.request) return await fetch(...args);
    if (moment.phase === "before") end();
    const answer = fetch(...args);
    if (moment.phase === "within") {
      for (let i = 0; i < moment.rounds; i++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      end();
    }
    const response = await answer;
    end();
    return response;
  };
}
