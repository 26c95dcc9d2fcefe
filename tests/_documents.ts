// The programs that documents show.
import { listFiles, readPackages, readText } from "../_tools/workspace.ts";

/** A program of a document. */
export interface ShownProgram {
  /** The file, and the line on which it begins. */
  readonly place: string;
  readonly code: string;
}

/** Finds the programs of the documents, and of the comments of what packages export. */
export async function shownPrograms(): Promise<ShownProgram[]> {
  const public_ = readPackages().flatMap(({ folder, exports }) =>
    Object.values(exports).flatMap((path) =>
      withExported(`${folder}/${path.slice(2)}`)
    )
  );
  const paths = (await listFiles()).filter((path) => path.endsWith(".md"));
  return [...paths, ...new Set(public_)].flatMap(programsOf);
}

/** A file, and those whose exports it passes on. */
function withExported(path: string): string[] {
  const passed = readText(path).matchAll(/^(?:export .*|\}) from "(\..*)";$/gm);
  return [
    path,
    ...Array.from(passed).flatMap(([, name]) =>
      withExported(new URL(name, `file:///${path}`).pathname.slice(1))
    ),
  ];
}

function programsOf(path: string): ShownProgram[] {
  const margin = path.endsWith(".md") ? "" : " \\* ?";
  const block = new RegExp(
    `^ *${margin}\`\`\`ts\\n([^]*?)^ *${margin}\`\`\`$`,
    "gm",
  );
  const text = readText(path);
  return Array.from(text.matchAll(block), ({ 1: lines, index }) => ({
    place: `${path}:${text.slice(0, index).split("\n").length}`,
    code: margin === ""
      ? lines
      : lines.replaceAll(/^ *\* ?/gm, "").replaceAll("*\\/", "*/"),
  }));
}
