// Markdown as HTML, and the sections that the search finds.
import { Marked, type Tokens } from "marked";
import { escapeHtml, highlight } from "./highlight.ts";

/** A heading and the text below it. */
export interface Section {
  /** The heading, as text. */
  readonly title: string;
  /** Its anchor, without `#`. */
  readonly anchor: string;
  /** 1 for the title of a document. */
  readonly depth: number;
  /** What stands below it, as text. */
  text: string;
}

/** Markdown that was rendered. */
export interface Rendered {
  readonly html: string;
  readonly sections: readonly Section[];
}

/** Changes a link; without a result its text stands without a link. */
export type LinkChange = (href: string) => string | undefined;

/**
 * Renders Markdown; headings have the anchors that hosts of repositories make.
 *
 * @param text The Markdown.
 * @param changeLink What is done to each link.
 * @returns HTML, and its sections.
 */
export function renderMarkdown(
  text: string,
  changeLink: LinkChange = (href) => href,
): Rendered {
  const sections: Section[] = [];
  const seen = new Map<string, number>();
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text }: Tokens.Heading) {
        const anchor = anchorOf(text, seen);
        sections.push({ title: plainText(text), anchor, depth, text: "" });
        const inner = this.parser.parseInline(tokens);
        return `<h${depth} id="${anchor}">${inner}</h${depth}>\n`;
      },
      link({ href, tokens }: Tokens.Link) {
        const inner = this.parser.parseInline(tokens);
        const to = changeLink(href);
        return to === undefined
          ? inner
          : `<a href="${escapeHtml(to)}">${inner}</a>`;
      },
      code: ({ text, lang }: Tokens.Code) => codeBlock(text, lang),
    },
  });
  const tokens = marked.lexer(text);
  const html = tokens.map((token) => {
    const html = marked.parser([token]);
    const section = sections.at(-1);
    if (section && token.type !== "heading") {
      section.text += plainText(token.raw) + " ";
    }
    return html;
  }).join("");
  return { html, sections };
}

/** Code in a block of its own. */
export function codeBlock(code: string, language?: string): string {
  return `<pre><code>${highlight(code.trimEnd(), language)}</code></pre>\n`;
}

/** Markdown without its signs. */
export function plainText(markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/^```\w*/gm, "")
    .replace(/[`*|#]|^>|-{3,}/gm, " ").replace(/\s+/g, " ").trim();
}

function anchorOf(text: string, seen: Map<string, number>): string {
  const anchor = text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
  const count = seen.get(anchor) ?? 0;
  seen.set(anchor, count + 1);
  return count === 0 ? anchor : `${anchor}-${count}`;
}
