/**
 * Lets the event loop turn once: messages of workers and signals come in. A
 * timer would cost a millisecond, and a message channel stays open for a while.
 *
 * @returns When it has turned.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
