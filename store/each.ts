/** Calls a function for each item, a few at a time. Waits for all, then throws the first failure. */
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
