/**
 * Carriers of messages.
 *
 * @module
 */
import type { StoreOptions } from "@snap/store";

/**
 * Carries a message to the other side and brings its answer back. That is all:
 * messages may be lost, repeated, late, and come in any order.
 */
export interface Transport {
  /** Where the other side is: for messages to people. */
  readonly location?: string;
  /**
   * Sends a request.
   *
   * @param request The message.
   * @param options What ends the wait.
   * @returns The message that answers it.
   * @throws {StoreError} If no answer came; one that is transient is worth another attempt.
   */
  exchange(request: Uint8Array, options?: StoreOptions): Promise<Uint8Array>;
}
