/**
 * Waits for something, but not for long.
 *
 * @param ms The most time that is waited, in milliseconds.
 */
export async function orSoon(
  promise: Promise<void>,
  ms: number,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const due = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, due]).finally(() => clearTimeout(timer));
}
