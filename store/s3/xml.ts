import { parseXml, XmlElement } from "@rgrove/parse-xml";

/** An answer of a server as elements with texts. */
export class XmlAnswer {
  readonly #element: XmlElement;

  private constructor(element: XmlElement) {
    this.#element = element;
  }

  /**
   * Reads an answer.
   *
   * @returns Undefined if it is no XML, as the pages of portals and proxies are.
   */
  static parse(bytes: Uint8Array): XmlAnswer | undefined {
    // S3 sends white space while it is at work, lest the connection be cut.
    const text = new TextDecoder().decode(bytes).trimStart();
    if (!text.startsWith("<")) return undefined;
    try {
      const { root } = parseXml(text);
      return root === null ? undefined : new XmlAnswer(root);
    } catch {
      return undefined;
    }
  }

  /** The name of the element. */
  get name(): string {
    return this.#element.name;
  }

  /** The text of an element right below; undefined if there is none. */
  text(name: string): string | undefined {
    const found = this.all(name).at(0);
    return found === undefined ? undefined : found.#element.text;
  }

  /** The elements of one name right below. */
  all(name: string): XmlAnswer[] {
    const found: XmlAnswer[] = [];
    for (const child of this.#element.children) {
      if (child instanceof XmlElement && child.name === name) {
        found.push(new XmlAnswer(child));
      }
    }
    return found;
  }
}

/** Text that can stand in an element. */
export function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (one) => `&#${one.charCodeAt(0)};`);
}
