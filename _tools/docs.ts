// Renders the guides and the reference of all packages to static pages, and checks
// their links.
//
//     deno task docs [FOLDER]
//
// The folder, `site` if none is given, is made anew.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { readDocs } from "./deno_doc.ts";
import { brokenLinks } from "./html_links.ts";
import { codeBlock, plainText, renderMarkdown } from "./site/markdown.ts";
import { groupPages, linkTarget, pageOf, titleOf } from "./site/navigation.ts";
import { framePage, type Page, relativeLink } from "./site/page.ts";
import { Reference, searchEntries } from "./site/reference.ts";
import { escapeHtml } from "./site/highlight.ts";
import { exists, listFiles, readText, ROOT } from "./workspace.ts";

/** Documents that are pages even if no other links to them. */
const DOCUMENTS =
  /^(docs\/.*|[a-z]+\/README|README|CONTRIBUTING|CHANGELOG)\.md$|^examples\/.*\.ts$/;

/** Headings from which on a page has a list of them. */
const CONTENTS_MIN = 4;

/** A page of a file, what it links to, and what the search finds of it. */
interface Document extends Page {
  readonly linked: readonly string[];
  readonly found: readonly string[][];
}

/**
 * Renders everything.
 *
 * @param out The folder. What it holds is removed.
 * @returns The links that lead nowhere, a line each.
 */
export async function renderDocs(out: string): Promise<string[]> {
  rmSync(out, { recursive: true, force: true });
  const files = await listFiles();
  const entries = shownEntries(await readDocs());
  const groups = groupPages(files.filter((path) => DOCUMENTS.test(path)));
  const order = groups.flatMap(({ links }) => links.map(({ page }) => page));
  // What no group has, such as a source that a document links to, comes last.
  const rank = ({ path }: Page): number => order.indexOf(path) >>> 0;
  const documents = renderLinked(files).sort((a, b) => rank(a) - rank(b));
  for (const page of [...documents, ...new Reference(entries).pages()]) {
    write(join(out, page.path), framePage(page, groups));
  }
  const index = [
    ...documents.flatMap(({ found }) => found),
    ...entries.flatMap(searchEntries),
  ];
  write(
    join(out, "search_index.js"),
    `globalThis.searchIndex = ${JSON.stringify(index)};\n`,
  );
  for (const name of ["style.css", "search.js"]) {
    copyFileSync(`${ROOT}_tools/site/${name}`, join(out, name));
  }
  return brokenLinks(out);
}

/** Every name once: what the front door re-exports, and what is internal, is left out. */
function shownEntries(entries: Awaited<ReturnType<typeof readDocs>>) {
  const open = entries.map((entry) => ({
    ...entry,
    symbols: entry.symbols.filter((one) => !one.isInternal),
  }));
  return open.filter(({ folder, path, file, isInternal }) => {
    const door = `${folder}/mod.ts`;
    const passes = path !== "" && exists(door) &&
      readText(door).includes(
        `export * from ".${file.slice(folder.length)}"`,
      );
    return !passes && !isInternal;
  });
}

/** Renders all documents, and all files that they link to. */
function renderLinked(files: readonly string[]): Document[] {
  const queue = new Set(files.filter((path) => DOCUMENTS.test(path)));
  const documents: Document[] = [];
  for (const path of queue) {
    const document = renderFile(path);
    documents.push(document);
    for (const other of document.linked) {
      if (files.includes(other)) queue.add(other);
    }
  }
  return documents;
}

function renderFile(file: string): Document {
  const text = readText(file);
  const path = pageOf(file);
  const title = titleOf(file, text);
  return file.endsWith(".md")
    ? renderDocument({ file, path, title, text })
    : renderSource({ file, path, title, text });
}

/** A file of the repository and its page. */
interface SourceFile extends Omit<Page, "body"> {
  readonly file: string;
  readonly text: string;
}

function renderSource({ file, path, title, text }: SourceFile): Document {
  const [comment] = /^(\/\/.*\n)+/.exec(text) ?? [""];
  const about = comment.replaceAll(/^\/\/ ?/gm, "")
    .replace(/(\w+=\S+ )*deno run .*/, "\n\n```sh\n$&\n```\n");
  const intro = /^examples\//.test(file) ? renderMarkdown(about).html : "";
  const body = `<h1>${escapeHtml(file)}</h1>\n${intro}${
    codeBlock(
      intro === "" ? text : text.slice(comment.length),
      extname(file).slice(1),
    )
  }`;
  return {
    path,
    title,
    body,
    linked: [],
    found: [[title, path, file, plainText(about)]],
  };
}

function renderDocument({ file, path, title, text }: SourceFile): Document {
  const linked: string[] = [];
  const { html, sections } = renderMarkdown(text, (href) => {
    const target = linkTarget(file, href);
    if (target === undefined) return href;
    // A folder without a README has no page.
    if (!exists(target.file)) return undefined;
    linked.push(target.file);
    return relativeLink(path, pageOf(target.file)) + target.anchor;
  });
  const chapters = sections.filter(({ depth }) => depth === 2);
  const contents = chapters.length < CONTENTS_MIN
    ? ""
    : `<ul class="contents">${
      chapters.map(({ title, anchor }) =>
        `<li><a href="#${anchor}">${escapeHtml(title)}</a></li>`
      ).join("")
    }</ul>`;
  return {
    path,
    title,
    body: html.replace("<h2", `${contents}<h2`),
    linked,
    found: sections.map((section) => [
      section.title,
      `${path}#${section.anchor}`,
      section.depth === 1 ? file : title,
      section.text.trim(),
    ]),
  };
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
