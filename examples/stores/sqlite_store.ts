// A store in a database of SQLite.
import { DatabaseSync } from "node:sqlite";
import type { StoreEntry } from "@snap/store";
import { BlobStore } from "@snap/store/blob-store";

export function openSqliteStore(path: string): BlobStore {
  const db = new DatabaseSync(path);
  // What a statement has changed is durable at its end.
  db.exec("PRAGMA busy_timeout = 10000; PRAGMA synchronous = FULL");
  db.exec("CREATE TABLE IF NOT EXISTS files (name PRIMARY KEY, bytes)");
  const [size, read, list, create, remove] = [
    "SELECT length(bytes) AS size FROM files WHERE name = ?",
    // What is cut from no bytes is NULL.
    "SELECT coalesce(substr(bytes, ?, ?), x'') AS part FROM files WHERE name = ?",
    "SELECT name, length(bytes) AS size FROM files WHERE name GLOB ?",
    "INSERT OR IGNORE INTO files VALUES (?, ?)",
    "DELETE FROM files WHERE name = ?",
  ].map((sql) => db.prepare(sql));
  return new BlobStore({
    size: (name) => size.get(name)?.size as number | undefined,
    read: (name, { offset, length = 2 ** 31 }) =>
      read.get(offset + 1, length, name)?.part as Uint8Array | undefined,
    list: (prefix) => [list.all(`${prefix}*`) as unknown as StoreEntry[]],
    create: (name, bytes) => create.run(name, bytes).changes === 1,
    remove: (name) => remove.run(name),
  });
}
