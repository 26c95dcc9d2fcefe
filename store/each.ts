/**
 * Calls a function for each item, a few at a time.
 *
 * @param items What it is called with.
 * @param concurrency Calls under way at once.
 * @param call The function; after a failure it is not called any more.
 * @throws {Error} What failed first, when all calls have ended.
 */
export async function eachOf<T>(
  items: readonly T[],
  concurrency: number,
  call: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const failures: unknown[] = [];
  const lane = async () => {
    while (next < items.length && failures.length === 0) {
      try {
        await call(items[next++]);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(
    Array.from({ length: Math.min(concurrency, items.length) }, lane),
  );
  if (failures.length > 0) throw failures[0];
}
