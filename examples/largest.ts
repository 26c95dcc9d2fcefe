// Prints the ten largest files of a snapshot, by the program's own JSON:
// deno run -A examples/largest.ts STORE SNAPSHOT
import process from "node:process";
import { main } from "@snap/cli";

const [store, name] = process.argv.slice(2);
const decoder = new TextDecoder();
let lines = "";
const stdout = {
  isTerminal: false,
  write(bytes: Uint8Array) {
    lines += decoder.decode(bytes, { stream: true });
    return Promise.resolve();
  },
};
const stderr = {
  isTerminal: false,
  write(bytes: Uint8Array) {
    process.stderr.write(bytes);
    return Promise.resolve();
  },
};
process.exitCode = await main(
  ["ls", "--recursive", "--any", "--json", "--store", store, name],
  {
    stdout,
    stderr,
    cwd: process.cwd(),
    env: (name) => process.env[name],
  },
);

const files = lines.trimEnd().split("\n").map((line) => JSON.parse(line))
  .filter((entry) => entry.kind === "file")
  .sort((a, b) => b.size - a.size);
for (const { size, path } of files.slice(0, 10)) console.log(`${size} ${path}`);
