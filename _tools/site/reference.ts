// The reference: an index, and a page for each entry point.
import type {
  DocComment,
  DocDeclaration,
  DocDefinition,
  DocEntry,
  DocMember,
  DocSymbol,
} from "../deno_doc.ts";
import { escapeHtml, highlight } from "./highlight.ts";
import { plainText, renderMarkdown } from "./markdown.ts";
import { API } from "./navigation.ts";
import { type Page, relativeLink } from "./page.ts";
import {
  call,
  indexSignature,
  memberSignature,
  signatureOf,
} from "./signatures.ts";

/** The page of an entry point. */
export function entryPage({ folder, path }: DocEntry): string {
  return `${API}/${folder}${path}/index.html`;
}

/** The first line of a comment, as Markdown. */
export function firstLine({ doc = "" }: DocComment = {}): string {
  const [paragraph] = doc.split(/\n\n/);
  return withoutTags(paragraph).replaceAll("\n", " ").trim();
}

/** `{@linkcode Name}` as code. */
function withoutTags(doc: string): string {
  return doc.replace(/\{@link(?:code)? ([^}]+)\}/g, "`$1`");
}

/** Kinds in the order in which a person looks for them. */
const KINDS = ["function", "class", "variable", "interface", "typeAlias"];

/** What is called stands before the types that it takes. */
function byUse(symbols: readonly DocSymbol[]): DocSymbol[] {
  const rank = ({ declarations: [{ kind }] }: DocSymbol): number =>
    KINDS.indexOf(kind);
  return symbols.toSorted((a, b) => rank(a) - rank(b));
}

/** Renders the pages of the reference. */
export class Reference {
  readonly #entries: readonly DocEntry[];
  /** The pages of each name, and where it is declared. */
  readonly #places = new Map<string, Map<string, string>>();

  /** Takes the entry points that are shown. */
  constructor(entries: readonly DocEntry[]) {
    this.#entries = entries;
    for (const entry of entries) {
      for (const { name, declarations: [{ location }] } of entry.symbols) {
        const places = this.#places.get(name) ?? new Map();
        this.#places.set(name, places);
        places.set(entryPage(entry), `${location.filename}:${location.line}`);
      }
    }
  }

  /** Makes the index and the page of each entry point. */
  pages(): Page[] {
    return [this.#indexPage(), ...this.#entries.map((one) => this.#page(one))];
  }

  #indexPage(): Page {
    const path = `${API}/index.html`;
    const parts = this.#entries.map((entry) => {
      const link = relativeLink(path, entryPage(entry));
      const level = entry.path === "" ? "h2" : "h3";
      return `<${level} id="${entry.folder}${entry.path}"><a href="${link}">${
        escapeHtml(entry.name)
      }</a></${level}>\n${this.#markdown(firstLine(entry.comment), path)}${
        this.#namesHtml(entry, path)
      }`;
    });
    const body = `<h1>Reference</h1>
<p>Each package with its entry points, and the names that each exports.</p>
<ul class="contents">${
      this.#entries.filter((entry) => entry.path === "").map((entry) =>
        `<li><a href="#${entry.folder}">${escapeHtml(entry.name)}</a></li>`
      ).join("")
    }</ul>
${parts.join("\n")}`;
    return { path, title: "Reference", body };
  }

  #namesHtml(entry: DocEntry, path: string): string {
    const page = relativeLink(path, entryPage(entry));
    const rows = byUse(entry.symbols).map(({ name, declarations }) => {
      const doc = declarations.find((one) => one.jsDoc?.doc)?.jsDoc;
      return `<dt><a href="${page}#${name}"><code>${name}</code></a> ${
        kindHtml(declarations[0])
      }</dt><dd>${this.#markdown(firstLine(doc), path)}</dd>`;
    });
    return `<dl class="names">${rows.join("\n")}</dl>\n`;
  }

  #page(entry: DocEntry): Page {
    const path = entryPage(entry);
    const readme = relativeLink(path, `${entry.folder}/index.html`);
    const body = `<h1>${escapeHtml(entry.name)}</h1>
<p><a href="${relativeLink(path, `${API}/index.html`)}">Reference</a> ·
<a href="${readme}">About the package</a></p>
${this.#commentHtml(entry.comment, path)}
<h2 id="names">Names</h2>
${this.#namesHtml(entry, path)}
${byUse(entry.symbols).map((one) => this.#symbolHtml(one, path)).join("\n")}`;
    return { path, title: entry.name, body };
  }

  #symbolHtml({ name, declarations }: DocSymbol, path: string): string {
    const shown = declarations.filter(({ kind, def }) =>
      kind !== "function" || declarations.length === 1 || !def.hasBody
    );
    const parts = shown.map((one) =>
      this.#code(signatureOf(name, one), path) +
      this.#commentHtml(one.jsDoc, path) +
      membersOf(one.def).map(([text, doc]) =>
        `<div class="member">${this.#code(text, path)}${
          this.#commentHtml(doc, path)
        }</div>`
      ).join("\n")
    );
    return `<h2 id="${name}">${name} ${kindHtml(declarations[0])}</h2>\n${
      parts.join("\n")
    }`;
  }

  /** A comment with its tags. */
  #commentHtml({ doc = "", tags = [] }: DocComment = {}, path: string): string {
    const rows = tags.map(({ kind, name, doc = "", tsType }) => {
      switch (kind) {
        case "param":
          return `- \`${name}\`: ${doc}`;
        case "return":
          return `- Returns: ${doc}`;
        case "throws":
          return `- Throws \`${tsType?.repr ?? "Error"}\`: ${doc}`;
        default:
          return "";
      }
    }).filter(Boolean).map((row) => row.trim().replaceAll("\n", "\n  "));
    const examples = tags.filter(({ kind }) => kind === "example")
      .map(({ doc = "" }) => `Example:\n\n${doc}`);
    return this.#markdown(
      [doc, rows.join("\n"), ...examples].join("\n\n"),
      path,
    );
  }

  #markdown(text: string, path: string): string {
    const { html } = renderMarkdown(withoutTags(text));
    return html.replace(
      /<code>([A-Za-z_]\w*)((?:\.\w+)?)<\/code>/g,
      (code, name) => this.#linked(code, name, path),
    ).replace(
      /<code>(@snap\/[a-z0-9-]+(?:\/[a-z0-9-]+)?)<\/code>/g,
      (code, name) => {
        const entry = this.#entries.find((one) => one.name === name);
        return entry === undefined || entryPage(entry) === path
          ? code
          : `<a href="${relativeLink(path, entryPage(entry))}">${code}</a>`;
      },
    );
  }

  /** Code in which names lead to their declarations. */
  #code(code: string, path: string): string {
    const html = highlight(code, "typescript").replace(
      /(?<=^|>)[^<]+/g,
      (text) =>
        text.replace(
          /\b[A-Z]\w+/g,
          (name) => this.#linked(name, name, path),
        ),
    );
    return `<pre><code>${html}</code></pre>\n`;
  }

  /** Puts a link around HTML, unless it is open what the name stands for. */
  #linked(html: string, name: string, path: string): string {
    const places = this.#places.get(name);
    if (places === undefined) return html;
    const isOne = new Set(places.values()).size === 1;
    const page = places.has(path) ? path : isOne ? [...places.keys()][0] : "";
    if (page === "") return html;
    const to = page === path ? "" : relativeLink(path, page);
    return `<a href="${to}#${name}">${html}</a>`;
  }
}

/** What the search finds of an entry point: title, page, place, text. */
export function searchEntries(entry: DocEntry): string[][] {
  const page = entryPage(entry);
  return [
    [entry.name, page, "Reference", plainText(firstLine(entry.comment))],
    ...entry.symbols.map(({ name, declarations }) => [
      name,
      `${page}#${name}`,
      entry.name,
      plainText(firstLine(declarations.find((one) => one.jsDoc)?.jsDoc)),
    ]),
  ];
}

function kindHtml({ kind }: DocDeclaration): string {
  return `<span class="kind">${kind === "typeAlias" ? "type" : kind}</span>`;
}

/** Signatures and comments of all that can be used from outside. */
function membersOf(def: DocDefinition): [string, DocComment?][] {
  const isOpen = ({ accessibility }: DocMember): boolean =>
    accessibility !== "private";
  const { constructors = [], callSignatures = [], indexSignatures = [] } = def;
  return [
    ...constructors.filter(isOpen).map((one): [string, DocComment?] => [
      `constructor${call({ ...one, params: one.params! })}`,
      one.jsDoc,
    ]),
    ...callSignatures.map((one): [string] => [call(one)]),
    ...indexSignatures.map((one): [string] => [indexSignature(one)]),
    ...[...def.properties ?? [], ...def.methods ?? []].filter(isOpen)
      .map((one): [string, DocComment?] => [memberSignature(one), one.jsDoc]),
  ];
}
