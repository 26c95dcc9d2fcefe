/**
 * The order of a tag's log, found while it is read.
 *
 * @module
 */
import {
  type AnyTagSlot,
  compareEntries,
  type TagEntry,
  type TagSlot,
} from "./tag_log.ts";

/** Puts slots, which are read from the last number down, into the order of their entries. */
export class SlotOrder {
  #waiting: { readonly slot: AnyTagSlot; readonly at: TagEntry | undefined }[] =
    [];
  #last: TagSlot | undefined;

  /**
   * Takes slots.
   *
   * @param slots The next ones, numbers falling.
   * @param isLast Whether no more will come.
   * @returns Those that none of the slots to come can be before.
   */
  add(slots: readonly AnyTagSlot[], isLast: boolean): AnyTagSlot[] {
    for (const slot of slots) {
      if (slot.damage === undefined) this.#last = slot;
      // A damaged one goes with the one that was written after it.
      this.#waiting.push({ slot, at: this.#last?.entry });
    }
    this.#waiting.sort((a, b) =>
      a.at === undefined || b.at === undefined
        ? Number(a.at !== undefined) - Number(b.at !== undefined)
        : compareEntries(b.at, a.at)
    );
    // All that comes is at most the head of the slot above it.
    const bound = this.#last?.head;
    const isReady = ({ at }: { readonly at: TagEntry | undefined }) =>
      isLast || at === undefined ||
      bound !== undefined && compareEntries(at, bound) >= 0;
    const ready = this.#waiting.filter(isReady);
    this.#waiting = this.#waiting.filter((one) => !isReady(one));
    return ready.map(({ slot }) => slot);
  }
}
