const FOLDER = new URL(".", import.meta.url);

/** Lists the benches: `hash` for `hash_bench.ts`. */
export function listBenches(): string[] {
  return [...Deno.readDirSync(FOLDER)]
    .map(({ name }) => /^([a-z]\w*)_bench\.ts$/.exec(name)?.[1])
    .filter((name) => name !== undefined)
    .sort();
}

/**
 * Runs one bench as a program of its own.
 *
 * @param name The name as listed.
 * @param rest Its arguments.
 * @param streams Where its output goes.
 * @returns How it ended, with what it said where that is piped.
 */
export async function runBench(
  name: string,
  rest: readonly string[],
  streams: "inherit" | "piped",
): Promise<{ code: number; said: string }> {
  const path = new URL(`${name}_bench.ts`, FOLDER).pathname;
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", path, ...rest],
    stdin: "null",
    stdout: streams,
    stderr: streams,
  }).output();
  if (streams === "inherit") return { code: output.code, said: "" };
  const decoder = new TextDecoder();
  return {
    code: output.code,
    said: decoder.decode(output.stdout) + decoder.decode(output.stderr),
  };
}
