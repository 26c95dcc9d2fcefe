import type { StoreEntry } from "../store.ts";
import { isStoreName } from "../store_name.ts";
import { failed } from "./failure.ts";
import type { Reply } from "./reply.ts";

const LINE_SIZE_MAX = 1100;
const ENTRY = /^(\d{1,15}) (\S+)$/;

/** Reads lines `SIZE NAME` up to `end COUNT`, without which the list is not whole. */
export async function* parseList(
  reply: Reply,
  prefix: string,
): AsyncGenerator<StoreEntry[]> {
  const decoder = new TextDecoder();
  let rest = "";
  let count = 0;
  let said: number | undefined;
  for await (const chunk of reply.chunks()) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    const batch: StoreEntry[] = [];
    for (const line of lines) {
      if (said !== undefined) throw broken(reply, line);
      if (line.startsWith("end ")) said = Number(line.slice(4));
      else batch.push(entryIn(reply, line, prefix));
    }
    if (rest.length > LINE_SIZE_MAX) throw broken(reply, rest);
    count += batch.length;
    if (batch.length > 0) yield batch;
  }
  if (said === count && rest === "") return;
  throw failed(
    reply.doing,
    "TRUNCATED",
    `the list must end with its length: found ${
      said ?? "none"
    } after ${count} names (TRUNCATED)`,
  );
}

function entryIn(reply: Reply, line: string, prefix: string): StoreEntry {
  const [, size, name] = ENTRY.exec(line) ?? [];
  if (name === undefined || !isStoreName(name) || !name.startsWith(prefix)) {
    throw broken(reply, line);
  }
  return { name, size: Number(size) };
}

function broken(reply: Reply, line: string): Error {
  const found = JSON.stringify(line.slice(0, 100));
  return failed(
    reply.doing,
    "PROTOCOL",
    `the list must have a size and a name a line: found ${found}`,
  );
}
