import { HEADER_SIZE, saveIdOf } from "../header.ts";
import { NotFoundError, StoreError } from "../errors.ts";
import type { ReadStore } from "../store.ts";
import { mayHaveHappened, RemoteError } from "./remote_error.ts";
import { retry, type RetryOptions } from "./retry.ts";

/** Mark of a file: its size, and a header with a salt that no other has. */
export interface Mark {
  readonly name: string;
  readonly size: number;
  /** Its first {@link HEADER_SIZE} bytes, or all if it has fewer. */
  readonly head: Uint8Array;
}

/** The mark of some content. */
export function markOf(name: string, bytes: Uint8Array): Mark {
  return { name, size: bytes.length, head: bytes.subarray(0, HEADER_SIZE) };
}

/**
 * Says whether what stands under a name is the file of that mark.
 *
 * @returns Undefined if nothing is there.
 */
export async function isOurs(
  store: Pick<ReadStore, "size" | "read">,
  mark: Mark,
  signal?: AbortSignal,
): Promise<boolean | undefined> {
  const options = signal && { signal };
  const size = await store.size(mark.name, options);
  if (size === undefined) return undefined;
  if (size !== mark.size) return false;
  try {
    const length = mark.head.length;
    const head = await store.read(mark.name, { offset: 0, length, ...options });
    return head.every((byte, i) => byte === mark.head[i]);
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    if (error instanceof StoreError && error.code === "SHORT") return false;
    throw error;
  }
}

/**
 * Creates a name, again where it failed for a reason that passes. Once an answer
 * was lost, a name that is there may be there by this very call: what stands
 * there is compared with what was sent. So is any file whose header has a salt:
 * a runtime may send a request again by itself, when a connection that was kept
 * open ends before the answer, and does not say so.
 *
 * @param create One try; false says that the name is there.
 * @param look Says whether it is there by us.
 */
export async function createAgain(
  mark: Mark,
  create: () => Promise<boolean>,
  look: () => Promise<boolean | undefined>,
  options: RetryOptions,
  signal?: AbortSignal,
): Promise<boolean> {
  let isUnsure = saveIdOf(mark.head) !== undefined;
  return await retry(
    async () => {
      try {
        if (await create()) return true;
      } catch (error) {
        if (mayHaveHappened(error)) isUnsure = true;
        throw error;
      }
      if (!isUnsure) return false;
      const ours = await look();
      if (ours !== undefined) return ours;
      throw new RemoteError(
        `Cannot create ${mark.name}: it was there and is gone`,
        {
          code: "GONE",
          action: "create",
          storeName: mark.name,
          isTransient: true,
        },
      );
    },
    options,
    signal,
  );
}
