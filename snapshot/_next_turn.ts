/** Turns of the event loop after which Deno has looked for what other threads have sent. */
const TURNS = 32;

/**
 * Lets messages of workers and signals come in. Deno asks for what comes from other threads, while
 * there is something else to do, in one turn of the event loop of some ten only. A timer would
 * cost a millisecond, and a message channel stays open for a while.
 *
 * @returns When they have come in.
 */
export async function nextTurn(): Promise<void> {
  for (let i = 0; i < TURNS; i++) {
    await new Promise((resolve) => void setImmediate(resolve));
  }
}
