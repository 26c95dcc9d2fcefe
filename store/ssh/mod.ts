/**
 * Programs at the other end of a pipe, such as the user's own `ssh`: their
 * addresses, their arguments, their life, and what they say when they fail.
 *
 * @example A program that answers
 * ```ts
 * import { startChild } from "@snap/store/ssh";
 * import { strictEqual } from "node:assert/strict";
 *
 * const child = await startChild(["cat"], "a mirror");
 * const writer = child.pipe.writable.getWriter();
 * await writer.write(new TextEncoder().encode("hello"));
 * const { value } = await child.pipe.readable.getReader().read();
 * strictEqual(new TextDecoder().decode(value), "hello");
 * await writer.close();
 * await child.close(5000);
 * ```
 *
 * For the packages of snap: changes without notice.
 *
 * @module
 * @internal
 */
export * from "./child.ts";
export * from "./ssh_address.ts";
export * from "./ssh_command.ts";
