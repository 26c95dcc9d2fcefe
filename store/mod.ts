/**
 * Stores: where packs, indexes, snapshots and tags live. A store knows names and
 * bytes and nothing else, and a name is created once and never overwritten.
 *
 * @example A tag in a store in memory
 * ```ts
 * import { initStore } from "@snap/store/format";
 * import { MemoryStore } from "@snap/store/memory";
 * import { TagStore } from "@snap/store/format";
 * import { strictEqual } from "node:assert/strict";
 *
 * const store = new MemoryStore();
 * await initStore(store);
 * const tags = new TagStore(store);
 * await tags.append("main", { time: "2026-11-20T05:46:18.000000000Z", tree: "aa", record: "bb" });
 * strictEqual((await tags.newest("main"))?.number, 1);
 * ```
 *
 * Stores far away are in `@snap/store/http`, a server for them in
 * `@snap/store/serve`, a store in a bucket in `@snap/store/s3`, and one on a host
 * that has nothing but SFTP in `@snap/store/sftp`; what is put around stores (retry,
 * limit, meter) is in `@snap/store/wrap`, and a cache in `@snap/store/cache`. The
 * contract suite that every store passes, and a store that fails on purpose, are
 * in `@snap/store/testing`.
 *
 * The parts have entry points of their own:
 *
 * - `@snap/store/blob-store`: a store over five functions of one's own
 * - `@snap/store/file`: a store in a folder of a local disk, and how it is found
 * - `@snap/store/format`: the small files of a store: config, settings, documents, tags
 * - `@snap/store/memory`: a store in memory
 *
 * @module
 */
/** @internal */
export {
  type Answered,
  type AnswerHead,
  answerHead,
  type Span,
} from "./answer_head.ts";
export * from "./errors.ts";
export * from "./store.ts";
/** @internal */
export {
  checkReadable,
  decodeHeader,
  type DocumentKind,
  encodeHeader,
  type FileKind,
  type Header,
  HEADER_SIZE,
  LEASES_FEATURE,
  type ParsedHeader,
  parseHeader,
  saveIdOf,
} from "./header.ts";
/** @internal */
export { checkStoreName, checkTagName, escapeTagName } from "./store_name.ts";
