import { deepStrictEqual, ok } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { FakeMount } from "../testdata/fake_mount.ts";
import { GOLDEN_ROOT } from "../testdata/golden_root.ts";

const FOLDER = new URL("../testdata/", import.meta.url);

/** One request and the reply to it; none where the kernel expects none. */
interface Exchange {
  readonly title: string;
  readonly request: string[];
  readonly reply: string[];
}

/**
 * Reads exchanges: `# title`, `> request`, `< reply`, and lines of a field each: its
 * bytes in hexadecimal, two spaces, what `linux/fuse.h` calls it.
 */
function readExchanges(file: string): Exchange[] {
  const exchanges: Exchange[] = [];
  let fields: string[] = [];
  for (const line of readFileSync(new URL(file, FOLDER), "utf8").split("\n")) {
    if (line.startsWith("> ")) fields = exchanges.at(-1)!.request;
    else if (line.startsWith("< ")) fields = exchanges.at(-1)!.reply;
    else if (/^[0-9a-f]/.test(line)) fields.push(line);
    else if (line.startsWith("# ") && line !== "# no reply") {
      exchanges.push({ title: line.slice(2), request: [], reply: [] });
    }
  }
  return exchanges;
}

function bytesOf(fields: readonly string[]): Uint8Array {
  const hex = fields.map((line) => line.split("  ", 1)[0]).join("");
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(
    "",
  );
}

/** Cuts a reply into the fields that are expected, so that a failure names the field. */
function cut(reply: Uint8Array, fields: readonly string[]): string[] {
  let at = 0;
  const lines = fields.map((line) => {
    const [hex, name] = line.split("  ");
    const bytes = reply.subarray(at, at += hex.length / 2);
    return `${toHex(bytes)}  ${name}`;
  });
  if (at < reply.length) lines.push(`${toHex(reply.subarray(at))}  too much`);
  return lines;
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith(".hex"));
ok(files.length >= 14);

for (const file of files) {
  Deno.test(`Session answers the golden requests of ${file}`, () => {
    const exchanges = readExchanges(file);
    ok(exchanges.length > 0);
    for (const { title, request, reply } of exchanges) {
      const mount = new FakeMount(GOLDEN_ROOT);
      mount.handle(bytesOf(request));
      deepStrictEqual(mount.faults, [], title);
      deepStrictEqual(mount.sent.length, reply.length > 0 ? 1 : 0, title);
      if (reply.length === 0) continue;
      deepStrictEqual(cut(mount.sent[0], reply), reply, title);
    }
  });
}
