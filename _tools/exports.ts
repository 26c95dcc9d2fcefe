import { type DocEntry, type DocSymbol, readDocs } from "./deno_doc.ts";

/**
 * Lists what can be imported, what is public before what is for the packages of
 * snap: a line for each entry point, then an indented line for each name that it
 * exports, in order, with its kinds.
 *
 * @returns The text, ending in a line break.
 */
export async function listExports(): Promise<string> {
  const entries = await readDocs();
  const open = sectionOf(entries, (one) => !one.isInternal);
  const inner = sectionOf(entries, (one) => one.isInternal);
  return `# Public: ${open}

# For the packages of snap, changes without notice: ${inner}`;
}

/** How many names are wanted, each counted once, and where they are. */
function sectionOf(
  entries: readonly DocEntry[],
  isWanted: (one: DocEntry | DocSymbol) => boolean,
): string {
  const names = new Set<string>();
  const parts = entries.flatMap((entry) => {
    const symbols = entry.symbols.filter(isWanted);
    for (const { name, declarations: [{ location }] } of symbols) {
      names.add(`${name} of ${location.filename}`);
    }
    return symbols.length === 0 && !isWanted(entry)
      ? []
      : [[entry.name, ...symbols.map(lineOf).sort()].join("\n") + "\n"];
  });
  return `${names.size} names\n\n${parts.join("\n")}`;
}

function lineOf({ name, declarations }: DocSymbol): string {
  const kinds = new Set(declarations.map(({ kind }) => kind));
  return `  ${name}: ${[...kinds].sort().join(", ")}`;
}
