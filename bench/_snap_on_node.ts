// The command line on Node, as cli/main.ts is on Deno.
import { hostname } from "node:os";
import process from "node:process";
import type { WriteStream } from "node:tty";
import { main, type Output } from "@snap/cli";

function outputOf(stream: WriteStream): Output {
  return {
    isTerminal: stream.isTTY,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stream.write(bytes, (error) => error ? reject(error) : resolve());
      }),
  };
}

process.exit(
  await main(process.argv.slice(2), {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    cwd: process.cwd(),
    env: (name) => process.env[name],
    hostname,
    uid: () => process.getuid?.(),
    runtime: `node ${process.versions.node}`,
  }),
);
