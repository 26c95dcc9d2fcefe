import { type PreparedMount, prepareMount } from "@snap/fuse/prepare";
import { likelyHasher } from "../snapshots/choose_hasher.ts";

/**
 * Starts a worker of a mount, which takes longer than all else, before the rest
 * of the program is loaded.
 *
 * @returns What `mount` takes; to be ended if no mount takes it.
 */
export async function prepare(): Promise<PreparedMount> {
  return prepareMount(await likelyHasher());
}
