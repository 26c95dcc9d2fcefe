// A client of the SDK that starts the real program, and what is left of it afterwards.
import { Client, type ClientOptions } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { join } from "node:path";
import { ROOT } from "../_tools/workspace.ts";
import { denoFolder } from "./_run.ts";

/** The words that start the program, but for its arguments. */
export const SNAP: readonly string[] = [
  Deno.execPath(),
  "run",
  "-A",
  join(ROOT, "cli/main.ts"),
];

/** A client with the program that it has started. */
export interface StartedClient extends AsyncDisposable {
  readonly client: Client;
  /** What it said on stderr so far. */
  stderr(): string;
}

/** Starts `snap mcp`, and connects. */
export async function startClient(
  args: readonly string[],
  options: ClientOptions & { readonly roots?: readonly string[] } = {},
): Promise<StartedClient> {
  const [command, ...before] = SNAP;
  const transport = new StdioClientTransport({
    command,
    args: [...before, "mcp", ...args],
    env: { PATH: Deno.env.get("PATH") ?? "", DENO_DIR: denoFolder() },
    stderr: "pipe",
  });
  let said = "";
  transport.stderr?.on("data", (chunk) => said += String(chunk));
  const { roots, ...rest } = options;
  const client = new Client({ name: "test", version: "0" }, {
    ...rest,
    capabilities: roots === undefined ? {} : { roots: {} },
  });
  if (roots !== undefined) {
    client.setRequestHandler("roots/list", () => ({
      roots: roots.map((path) => ({ uri: `file://${path}` })),
    }));
  }
  await client.connect(transport);
  return {
    client,
    stderr: () => said,
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** Starts `snap mcp` with pipes that a test writes and reads itself. */
export function startRaw(args: readonly string[]): Deno.ChildProcess {
  const [command, ...before] = SNAP;
  return new Deno.Command(command, {
    args: [...before, "mcp", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}
