import { readPackages, ROOT } from "./workspace.ts";

/** What `deno doc --json` says of an entry point, as far as it is used here. */
interface DocNode {
  readonly symbols: readonly {
    readonly name: string;
    readonly declarations: readonly { readonly kind: string }[];
  }[];
}

/**
 * Lists the public surface: a line for each entry point, then an indented line
 * for each name that it exports, in order, with its kinds.
 *
 * @returns The text, ending in a line break.
 */
export async function listExports(): Promise<string> {
  const entries = readPackages().flatMap(({ folder, name, exports }) =>
    Object.entries(exports).map(([entry, file]) => ({
      name: name + entry.slice(1),
      url: `file://${ROOT}${folder}/${file.slice(2)}`,
    }))
  );
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...entries.map(({ url }) => url)],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`Cannot list the exports: ${decoder.decode(stderr)}`);
  }
  const { nodes } = JSON.parse(decoder.decode(stdout)) as {
    nodes: Record<string, DocNode>;
  };
  return entries.map(({ name, url }) =>
    [name, ...linesOf(nodes[url])].join("\n") + "\n"
  ).join("\n");
}

function linesOf(node: DocNode | undefined): string[] {
  return (node?.symbols ?? []).map(({ name, declarations }) => {
    const kinds = new Set(declarations.map(({ kind }) => kind));
    return `  ${name}: ${[...kinds].sort().join(", ")}`;
  }).sort();
}
