// Renders the guides and the reference of all packages to static pages, and checks
// their links.
//
//     deno task docs [FOLDER]
//
// The folder, `site` if none is given, is made anew.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix as paths, resolve } from "node:path";
import { Marked, type Tokens } from "marked";
import { brokenLinks } from "./html_links.ts";
import {
  exists,
  listFiles,
  readPackages,
  readText,
  ROOT,
} from "./workspace.ts";

/** What the pages of the guides look like. */
const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 0 auto;
  padding: 1rem; color: #222; background: #fff; }
nav a { margin-right: 0.7rem; }
pre { background: #f4f4f4; padding: 0.7rem; overflow-x: auto; }
code { font-size: 0.9em; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #ccc; padding: 0.2rem 0.5rem; text-align: left;
  vertical-align: top; }
@media (prefers-color-scheme: dark) {
  body { color: #ddd; background: #181818; }
  pre { background: #262626; }
  a { color: #8ab4f8; }
}
`;

/** The folder of the reference. */
const API = "api";

/**
 * Renders everything.
 *
 * @param out The folder. What it holds is removed.
 * @returns The links that lead nowhere, a line each.
 */
export async function renderDocs(out: string): Promise<string[]> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await renderApi(join(out, API));
  const files = await listFiles();
  const guides = files.filter((path) =>
    /^(docs\/|[a-z]+\/README|README|CONTRIBUTING|CHANGELOG).*\.md$/.test(path)
  );
  const rendered = new Set(guides);
  const queue = [...guides];
  for (const path of queue) {
    const { html, linked } = renderFile(path, guides);
    write(join(out, pageOf(path)), html);
    for (const other of linked) {
      if (rendered.has(other) || !files.includes(other)) continue;
      rendered.add(other);
      queue.push(other);
    }
  }
  return brokenLinks(out);
}

/** Every symbol once: an entry point that the front door re-exports is left out. */
async function renderApi(out: string): Promise<void> {
  const entries = readPackages().flatMap(({ folder, exports }) => {
    const front = exists(`${folder}/mod.ts`)
      ? readText(`${folder}/mod.ts`)
      : "";
    return Object.values(exports)
      .filter((file) => !front.includes(`export * from "${file}"`))
      .map((file) => `${folder}/${file.slice(2)}`);
  });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--html", "--name=snap", `--output=${out}`, ...entries],
    cwd: ROOT,
  }).output();
  if (success) return;
  throw new Error(
    `Cannot render the reference: ${new TextDecoder().decode(stderr)}`,
  );
}

/** The page of a file: a folder's README is its index. */
function pageOf(path: string): string {
  return path.replace(/README\.md$/, "index.html")
    .replace(/\.md$/, ".html")
    .replace(/(?<!\.html)$/, ".html");
}

function renderFile(
  path: string,
  guides: readonly string[],
): { html: string; linked: string[] } {
  const text = readText(path);
  if (!path.endsWith(".md")) {
    const body = `<h1>${escape(path)}</h1><pre><code>${
      escape(text)
    }</code></pre>`;
    return { html: page(path, path, body, guides), linked: [] };
  }
  const linked: string[] = [];
  const seen = new Map<string, number>();
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }: Tokens.Heading) {
        const inner = this.parser.parseInline(tokens);
        return `<h${depth} id="${anchorOf(text, seen)}">${inner}</h${depth}>\n`;
      },
      link({ href, tokens }: Tokens.Link) {
        const inner = this.parser.parseInline(tokens);
        const target = linkTarget(path, href);
        // A folder without a README has no page.
        if (target?.isFolder && !exists(target.file)) return inner;
        if (target !== undefined) linked.push(target.file);
        const to = target === undefined
          ? href
          : relative(path, pageOf(target.file)) + target.anchor;
        return `<a href="${escape(to)}">${inner}</a>`;
      },
    },
  });
  const body = marked.parse(text, { async: false });
  const title = /^# (.+)$/m.exec(text)?.[1] ?? path;
  return { html: page(path, title, body, guides), linked };
}

/** What a link leads to. */
interface Target {
  /** Its path in the repository. */
  readonly file: string;
  /** Whether the link names the folder of the file, which is its README. */
  readonly isFolder: boolean;
  /** The anchor in it, with its `#`, or nothing. */
  readonly anchor: string;
}

/** Finds the file of the repository that a link leads to. */
function linkTarget(
  from: string,
  href: string,
): Target | undefined {
  if (/^([a-z]+:|#)/.test(href)) return undefined;
  const [link, anchor] = href.split("#");
  const path = paths.join(paths.dirname(from), decodeURIComponent(link));
  const isFolder = exists(path) && Deno.statSync(ROOT + path).isDirectory;
  const file = isFolder ? paths.join(path, "README.md") : path;
  return { file, isFolder, anchor: anchor === undefined ? "" : `#${anchor}` };
}

/** The anchor of a heading, as hosts of repositories make it. */
function anchorOf(text: string, seen: Map<string, number>): string {
  const anchor = text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
  const count = seen.get(anchor) ?? 0;
  seen.set(anchor, count + 1);
  return count === 0 ? anchor : `${anchor}-${count}`;
}

function page(
  path: string,
  title: string,
  body: string,
  guides: readonly string[],
): string {
  const top = guides.filter((guide) => /^(README|docs\/.*)\.md$/.test(guide))
    .map((guide): [string, string] => [
      pageOf(guide),
      guide === "README.md" ? "snap" : guide.replace(/^docs\/|\.md$/g, ""),
    ]);
  const links = [...top, [`${API}/index.html`, "reference"]].map(
    ([to, name]) => `<a href="${relative(path, to)}">${name}</a>`,
  );
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${STYLE}</style>
<nav>${links.join("\n")}</nav>
<main>
${body}</main>
</html>
`;
}

function relative(from: string, to: string): string {
  return paths.relative(paths.dirname(from), to);
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;");
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

if (import.meta.main) {
  const out = resolve(Deno.args[0] ?? `${ROOT}site`);
  const broken = await renderDocs(out);
  for (const line of broken) console.error(line);
  if (broken.length > 0) Deno.exit(1);
  console.log(join(out, "index.html"));
}
