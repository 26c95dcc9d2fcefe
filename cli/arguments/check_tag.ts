import { UsageError } from "./usage_error.ts";

/**
 * Refuses what cannot be the name of a tag, before any work is done.
 *
 * @throws {UsageError} If it is no name of a tag.
 */
export async function checkTag(tag: string): Promise<void> {
  const { checkTagName } = await import("@snap/store");
  try {
    checkTagName(tag);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}
