// The frame of each page: search, navigation, the page itself.
import { posix as paths } from "node:path";
import { escapeHtml } from "./highlight.ts";
import { API, type NavigationGroup } from "./navigation.ts";

/** A page of the site. */
export interface Page {
  /** Its path below the folder of the site. */
  readonly path: string;
  readonly title: string;
  /** What stands in it, as HTML. */
  readonly body: string;
}

/** The way from one page to another. */
export function relativeLink(from: string, to: string): string {
  return paths.relative(paths.dirname(from), to);
}

/**
 * Puts the frame around a page.
 *
 * @param page The page.
 * @param groups The navigation; the group that has the page is open.
 * @returns HTML.
 */
export function framePage(
  { path, title, body }: Page,
  groups: readonly NavigationGroup[],
): string {
  const to = (page: string): string => escapeHtml(relativeLink(path, page));
  const name = title === "snap" ? title : `${title} · snap`;
  return `<!DOCTYPE html>
<html lang="en" data-root="${to("") || "."}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(name)}</title>
<link rel="stylesheet" href="${to("style.css")}">
<script src="${to("search.js")}" defer></script>
<header>
<a class="home" href="${to("index.html")}">snap</a>
<input id="search" type="search" placeholder="Search" aria-label="Search"
  autocomplete="off">
<label class="menu" for="menu">Menu</label>
<ol id="found" hidden></ol>
</header>
<input id="menu" type="checkbox" aria-label="Menu">
<nav>
${groups.map((group) => groupHtml(group, path)).join("\n")}
</nav>
<main>
${body}</main>
</html>
`;
}

function groupHtml({ title, links }: NavigationGroup, path: string): string {
  const isHere = links.some(({ page }) => page === path) ||
    path.startsWith(`${API}/`) && links[0].page.startsWith(`${API}/`);
  const items = links.map(({ page, title }) =>
    `<li><a href="${escapeHtml(relativeLink(path, page))}"${
      page === path ? ' aria-current="page"' : ""
    }>${escapeHtml(title)}</a></li>`
  );
  const isOpen = isHere || links.length < 3 || title === "Guides";
  return `<details${isOpen ? " open" : ""}><summary>${title}</summary><ul>${
    items.join("\n")
  }</ul></details>`;
}
