import { type DocSymbol, readDocs } from "./deno_doc.ts";

/**
 * Lists the public surface: a line for each entry point, then an indented line
 * for each name that it exports, in order, with its kinds.
 *
 * @returns The text, ending in a line break.
 */
export async function listExports(): Promise<string> {
  return (await readDocs()).map(({ name, symbols }) =>
    [name, ...symbols.map(lineOf).sort()].join("\n") + "\n"
  ).join("\n");
}

function lineOf({ name, declarations }: DocSymbol): string {
  const kinds = new Set(declarations.map(({ kind }) => kind));
  return `  ${name}: ${[...kinds].sort().join(", ")}`;
}
