/** Name of the first file of a store in errors: no user has heard of it. */
const OF_CONFIG = /^Cannot [a-z ]+ config\/\d+: /;

/**
 * Does what asks a store first. An error names the store then.
 *
 * @param location The store, for errors.
 */
export async function namingStore<T>(
  location: string,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Error) {
      // A function, as a $ means something in a text.
      error.message = error.message
        .replace(OF_CONFIG, () => `Cannot open ${location}: `);
    }
    throw error;
  }
}
