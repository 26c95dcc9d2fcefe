// The groups of pages, as they stand beside each page.
import { posix as paths } from "node:path";
import { exists, readPackages, readText, ROOT } from "../workspace.ts";

/** A link of the navigation. */
export interface NavigationLink {
  /** The page, below the folder of the site. */
  readonly page: string;
  readonly title: string;
}

/** Links under one heading. */
export interface NavigationGroup {
  readonly title: string;
  readonly links: readonly NavigationLink[];
}

/** The folder of the reference. */
export const API = "api";

/** Documents of each group by their paths, those named first before others. */
const GROUPS: readonly (readonly [string, RegExp, readonly string[]])[] = [
  [
    "Guides",
    /^docs\/(guides\/.*|STORES|AGENTS|BUILDS|RETENTION|DAMAGE|BUNDLERS)\.md$/,
    ["first_snapshot", "mounting", "ci_cache", "agent_", "own_store", "from_"],
  ],
  ["Commands", /^docs\/(cli|PERMISSIONS)\.md$/, ["cli"]],
  [
    "Formats and security",
    /^docs\/(FORMAT|FORMATS|PROTOCOL|SECURITY)\.md$/,
    ["FORMAT.md"],
  ],
  ["Packages", /^[a-z]+\/README\.md$/, []],
  ["Examples", /^examples\/(README\.md|.*\.ts)$/, ["README"]],
  ["The project", /^(docs\/[^/]*|[A-Z]+)\.md$/, ["ARCHITECTURE"]],
];

/**
 * Sorts documents into groups; a document is in the first that takes it.
 *
 * @param files Paths of the repository.
 * @returns The groups, the reference among them.
 */
export function groupPages(files: readonly string[]): NavigationGroup[] {
  let rest = files.filter((path) => path !== "README.md");
  const groups = GROUPS.map(([title, pattern, first]) => {
    const links = rest.filter((path) => pattern.test(path));
    rest = rest.filter((path) => !pattern.test(path));
    const rank = (path: string): number =>
      first.findIndex((name) => path.includes(name)) >>> 0;
    links.sort((a, b) => rank(a) - rank(b));
    return { title, links: links.map(linkOf) };
  });
  const reference = {
    title: "Reference",
    links: [
      { page: `${API}/index.html`, title: "All packages and names" },
      ...readPackages().map(({ folder, name }) => ({
        page: `${API}/${folder}/index.html`,
        title: name,
      })),
    ],
  };
  return [groups[0], reference, ...groups.slice(1)];
}

function linkOf(path: string): NavigationLink {
  return { page: pageOf(path), title: titleOf(path, readText(path)) };
}

/** What a document is called: its heading, or the name of the file. */
export function titleOf(path: string, text: string): string {
  return path.endsWith(".md")
    ? /^# (.+)$/m.exec(text)?.[1].replaceAll("`", "") ?? path
    : path.replace(/^examples\//, "");
}

/** The page of a file: a folder's README is its index. */
export function pageOf(path: string): string {
  return path.replace(/README\.md$/, "index.html").replace(/\.md$/, ".html")
    .replace(/(?<!\.html)$/, ".html");
}

/** The file that a link of a document leads to. */
export interface LinkTarget {
  /** Its path in the repository. */
  readonly file: string;
  /** The anchor in it, with its `#`, or nothing. */
  readonly anchor: string;
}

/**
 * Finds the file of the repository that a link leads to.
 *
 * @param from The path of the document.
 * @param href The link.
 * @returns The file; undefined for a link to another host or in the document.
 */
export function linkTarget(from: string, href: string): LinkTarget | undefined {
  if (/^([a-z]+:|#)/.test(href)) return undefined;
  const [link, anchor] = href.split("#");
  const path = paths.join(paths.dirname(from), decodeURIComponent(link));
  const isFolder = exists(path) && Deno.statSync(ROOT + path).isDirectory;
  const file = isFolder ? paths.join(path, "README.md") : path;
  return { file, anchor: anchor === undefined ? "" : `#${anchor}` };
}
