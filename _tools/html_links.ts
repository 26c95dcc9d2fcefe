// Checks the links of static pages, as a browser would follow them from a folder.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, posix as paths } from "node:path";

/** What a page links to and what can be linked to in it. */
interface Page {
  readonly links: readonly string[];
  readonly anchors: ReadonlySet<string>;
}

/**
 * Finds links that lead nowhere: to a file of the folder that is not there, or to
 * an anchor that its page does not have. Links to other hosts are not followed.
 *
 * @param folder Where the pages are.
 * @returns A line for each, `page links to link`, in the order of pages.
 */
export function brokenLinks(folder: string): string[] {
  const files = new Set(
    readdirSync(folder, { recursive: true }).map(String),
  );
  const pages = new Map<string, Page>();
  for (const path of [...files].filter((path) => path.endsWith(".html"))) {
    pages.set(path, readPage(readFileSync(join(folder, path), "utf8")));
  }
  const problems: string[] = [];
  for (const [path, { links }] of pages) {
    for (const link of new Set(links)) {
      if (/^([a-z]+:|\/\/)/.test(link)) continue;
      if (!leads(link, path, folder, files, pages)) {
        problems.push(`${path} links to ${link}`);
      }
    }
  }
  return problems.sort();
}

function leads(
  link: string,
  from: string,
  folder: string,
  files: ReadonlySet<string>,
  pages: ReadonlyMap<string, Page>,
): boolean {
  const [file, anchor] = link.split("#");
  const path = file.split("?")[0];
  const target = path === ""
    ? from
    : paths.join(paths.dirname(from), decodeURIComponent(path))
      .replace(/\/$/, "");
  if (!files.has(target)) return target === "." && files.has("index.html");
  if (statSync(join(folder, target)).isDirectory()) {
    return files.has(paths.join(target, "index.html"));
  }
  return !anchor || (pages.get(target)?.anchors
    .has(decodeURIComponent(anchor)) ?? false);
}

function readPage(html: string): Page {
  const links = attributes(html, "href|src");
  return { links, anchors: new Set(attributes(html, "id|name")) };
}

/** The values of attributes, in tags alone. */
function attributes(html: string, names: string): string[] {
  const pattern = new RegExp(`(?<=<[a-z][^<>]*\\s)(?:${names})="([^"]*)"`, "g");
  return [...html.matchAll(pattern)].map(([, value]) => plain(value));
}

/** Text without character references. */
function plain(html: string): string {
  return html.replace(
    /&#x([0-9a-f]+);/gi,
    (_, code) => String.fromCodePoint(parseInt(code, 16)),
  )
    .replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}
