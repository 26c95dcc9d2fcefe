// What `deno doc --json` says of the entry points, as far as it is used here.
import { readPackages, readText, ROOT } from "./workspace.ts";

/** A type as it is written. `value` depends on the kind. */
export interface DocType {
  readonly kind: string;
  readonly repr?: string;
  readonly value?: unknown;
}

/** A parameter: a name, a pattern, one with a default, or the rest. */
export interface DocParam {
  readonly kind: string;
  readonly name?: string;
  readonly optional?: boolean;
  readonly tsType?: DocType;
  readonly left?: DocParam;
  readonly arg?: DocParam;
  readonly props?: readonly { readonly key: string }[];
}

/** A parameter of a type. */
export interface DocTypeParam {
  readonly name: string;
  readonly constraint?: DocType;
  readonly default?: DocType;
}

/** What can be called. */
export interface DocFunction {
  readonly params: readonly DocParam[];
  readonly typeParams?: readonly DocTypeParam[];
  readonly returnType?: DocType;
  readonly hasBody?: boolean;
}

/** A tag of a doc comment. */
export interface DocTag {
  readonly kind: string;
  readonly name?: string;
  readonly doc?: string;
  readonly tsType?: DocType;
}

/** A doc comment. */
export interface DocComment {
  readonly doc?: string;
  readonly tags?: readonly DocTag[];
}

/** A member of a class, an interface or an object type. */
export interface DocMember extends Partial<DocFunction> {
  readonly name: string;
  readonly kind?: string;
  readonly jsDoc?: DocComment;
  readonly tsType?: DocType;
  readonly readonly?: boolean;
  readonly optional?: boolean;
  readonly computed?: boolean;
  readonly isStatic?: boolean;
  readonly isAbstract?: boolean;
  readonly accessibility?: string;
  readonly functionDef?: DocFunction;
}

/** What stands behind a declaration; which fields there are depends on its kind. */
export interface DocDefinition extends Partial<DocFunction> {
  /** Of a name that is passed on: where it is declared. */
  readonly target?: { readonly filename: string };
  readonly tsType?: DocType;
  readonly kind?: string;
  readonly isAbstract?: boolean;
  readonly extends?: string | readonly DocType[];
  readonly implements?: readonly DocType[];
  readonly superTypeParams?: readonly DocType[];
  readonly constructors?: readonly DocMember[];
  readonly properties?: readonly DocMember[];
  readonly methods?: readonly DocMember[];
  readonly callSignatures?: readonly DocFunction[];
  readonly indexSignatures?: readonly DocMember[];
}

/** One declaration of a name. */
export interface DocDeclaration {
  readonly kind: string;
  readonly location: { readonly filename: string; readonly line: number };
  readonly jsDoc?: DocComment;
  readonly def: DocDefinition;
}

/** A name that an entry point exports. */
export interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly DocDeclaration[];
  /** Whether it is for the packages of snap alone, as its entry point or its export says. */
  readonly isInternal: boolean;
}

/** An entry point of a package. */
export interface DocEntry {
  /** The folder of the package. */
  readonly folder: string;
  /** What follows the name of the package: nothing, or `/name`. */
  readonly path: string;
  /** The name under which it is imported. */
  readonly name: string;
  /** Its file, below the root. */
  readonly file: string;
  /** Its module comment. */
  readonly comment: DocComment;
  /** Whether all of it is for the packages of snap alone: its comment is tagged `@internal`. */
  readonly isInternal: boolean;
  /** In the order of names. */
  readonly symbols: readonly DocSymbol[];
}

/** Reads all entry points of all packages, in the order of `deno.json`. */
export async function readDocs(): Promise<DocEntry[]> {
  const entries = readPackages().flatMap(({ folder, name, exports }) =>
    Object.entries(exports).map(([entry, path]) => ({
      folder,
      path: entry.slice(1),
      name: name + entry.slice(1),
      file: `${folder}/${path.slice(2)}`,
    }))
  );
  const nodes = await runDoc(
    entries.map(({ file }) => `file://${ROOT}${file}`),
  );
  const passed = new Set(
    Object.values(nodes).flatMap(({ symbols }) => symbols)
      .flatMap(({ declarations }) => declarations)
      .flatMap(({ def }) => def.target?.filename ?? []),
  );
  const targets = await runDoc([...passed]);
  return entries.map((entry) => {
    const { module_doc: comment = {}, symbols } =
      nodes[`file://${ROOT}${entry.file}`];
    const isInternal = comment.tags?.some(({ kind }) => kind === "internal") ??
      false;
    const inner = internalNames(readText(entry.file));
    return {
      ...entry,
      comment,
      isInternal,
      symbols: symbols.map(({ name, declarations }) => ({
        name,
        declarations: declarations.flatMap((one) =>
          passedOn(name, one, targets)
        ),
        isInternal: isInternal || inner.has(name),
      })).sort((a, b) => a.name < b.name ? -1 : 1),
    };
  });
}

/** The names of `export { … } from` that are tagged `@internal`. */
function internalNames(text: string): Set<string> {
  const found = text.matchAll(
    /^\/\*\* @internal \*\/\nexport (?:type )?\{([^}]*)\} from/gm,
  );
  return new Set(
    Array.from(found).flatMap(([, names]) =>
      names.split(",").map((name) => name.replace(/^\s*(type )?/, "").trim())
    ),
  );
}

/** What `deno doc` says of a file. */
interface DocNode {
  readonly module_doc?: DocComment;
  readonly symbols: readonly Omit<DocSymbol, "isInternal">[];
}

async function runDoc(urls: string[]): Promise<Record<string, DocNode>> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...urls],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  if (!success) {
    throw new Error(`Cannot read the comments: ${decoder.decode(stderr)}`);
  }
  return JSON.parse(decoder.decode(stdout)).nodes;
}

/** The declarations of a name: of one that a file passes on those where it is from. */
function passedOn(
  name: string,
  one: DocDeclaration,
  targets: Record<string, DocNode>,
): readonly DocDeclaration[] {
  return one.def.target === undefined
    ? [one]
    : targets[one.def.target.filename].symbols
      .find((target) => target.name === name)!.declarations;
}
