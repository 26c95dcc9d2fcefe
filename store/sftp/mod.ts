/**
 * A store on another host that has nothing but SFTP, reached through the user's
 * own `ssh`, or through any program that speaks SFTP on a pipe.
 *
 * @example The server of OpenSSH, without a network
 * ```ts
 * import { openSftpStore } from "@snap/store/sftp";
 * import { strictEqual } from "node:assert/strict";
 * import { existsSync, mkdtempSync, rmSync } from "node:fs";
 *
 * const server = "/usr/lib/openssh/sftp-server";
 * if (existsSync(server)) {
 *   const folder = mkdtempSync("/tmp/snap-example-");
 *   const store = await openSftpStore(`sftp://${folder}/store`, { command: [server] });
 *   await store.create("index/aa", new Uint8Array(3));
 *   strictEqual(await store.size("index/aa"), 3);
 *   await store[Symbol.asyncDispose]();
 *   rmSync(folder, { recursive: true });
 * }
 * ```
 *
 * @module
 */
export { openSftpStore } from "./sftp_store.ts";
export type { SftpStore, SftpStoreOptions } from "./sftp_store.ts";
