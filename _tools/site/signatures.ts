// Declarations as TypeScript, from what `deno doc` says of them.
import type {
  DocDeclaration,
  DocDefinition,
  DocFunction,
  DocMember,
  DocParam,
  DocType,
  DocTypeParam,
} from "../deno_doc.ts";

/** Where a signature begins to be broken into lines. */
const WIDTH = 76;

/**
 * Writes a declaration without its members.
 *
 * @param name The name that is declared.
 * @param declaration What it is.
 * @returns TypeScript.
 * @throws {Error} If it is of a kind that is not known here.
 */
export function signatureOf(
  name: string,
  { kind, def }: DocDeclaration,
): string {
  const head = name + typeParams(def.typeParams);
  switch (kind) {
    case "function":
      return `function ${name}${call(def as DocFunction)}`;
    case "variable":
      return `${def.kind} ${name}: ${type(def.tsType)}`;
    case "typeAlias":
      return alias(head, def.tsType);
    case "interface":
      return `interface ${head}${heritage("extends", def.extends)}`;
    case "class":
      return `${def.isAbstract ? "abstract " : ""}class ${head}${
        classHeritage(def)
      }`;
  }
  throw new Error(`Cannot write ${name}: it is a ${kind}`);
}

/**
 * Writes a member of a class or an interface.
 *
 * @param member The member.
 * @returns TypeScript.
 */
export function memberSignature(member: DocMember): string {
  const { name, computed, optional, functionDef } = member;
  const words = [
    member.accessibility,
    member.isStatic && "static",
    member.isAbstract && "abstract",
    member.readonly && "readonly",
    member.kind === "getter" && "get",
    member.kind === "setter" && "set",
  ].filter(Boolean).map((word) => `${word} `).join("");
  const key = (computed ? `[${name.replace(/^\[|\]$/g, "")}]` : name) +
    (optional ? "?" : "");
  const isProperty = functionDef === undefined && member.params === undefined ||
    member.tsType !== undefined;
  return words + key +
    (isProperty
      ? `: ${type(member.tsType)}`
      : call(functionDef ?? member as DocFunction));
}

/** Writes the signature of an index: `[name: string]: number`. */
export function indexSignature({ params, tsType }: DocMember): string {
  return `[${params!.map(param).join(", ")}]: ${type(tsType)}`;
}

/** Parameters and result. */
export function call(
  { params, typeParams: types, returnType }: DocFunction,
): string {
  const result = returnType === undefined ? "" : `: ${type(returnType)}`;
  const list = params.map(param);
  const line = `(${list.join(", ")})`;
  const broken = line.length + result.length > WIDTH && list.length > 0;
  return typeParams(types) +
    (broken ? `(\n  ${list.join(",\n  ")},\n)` : line) +
    result;
}

function alias(head: string, of: DocType | undefined): string {
  const line = `type ${head} = ${type(of)}`;
  return of?.kind === "union" && line.length > WIDTH
    ? `type ${head} =\n  | ${(of.value as DocType[]).map(type).join("\n  | ")}`
    : line;
}

function classHeritage(
  { extends: name, superTypeParams = [], implements: types }: DocDefinition,
): string {
  return (name === undefined
    ? ""
    : ` extends ${name}${args(superTypeParams)}`) +
    heritage("implements", types);
}

function heritage(word: string, types: DocDefinition["extends"] = []): string {
  return types.length === 0 || typeof types === "string"
    ? ""
    : ` ${word} ${types.map(type).join(", ")}`;
}

function typeParams(params: readonly DocTypeParam[] = []): string {
  const texts = params.map(({ name, constraint, default: initial }) =>
    name + (constraint ? ` extends ${type(constraint)}` : "") +
    (initial ? ` = ${type(initial)}` : "")
  );
  return texts.length === 0 ? "" : `<${texts.join(", ")}>`;
}

function args(types: readonly DocType[] = []): string {
  return types.length === 0 ? "" : `<${types.map(type).join(", ")}>`;
}

function param(one: DocParam): string {
  const { kind, tsType, left, arg, props = [] } = one;
  if (kind === "assign") return param({ ...left!, optional: true });
  if (kind === "rest") return `...${arg!.name}: ${type(tsType)}`;
  const name = kind === "object"
    ? `{ ${props.map(({ key }) => key).join(", ")} }`
    : one.name;
  return `${name}${one.optional ? "?" : ""}` +
    (tsType === undefined ? "" : `: ${type(tsType)}`);
}

type Literal = Record<"string" | "number" | "boolean", unknown> & {
  readonly kind: "string" | "number" | "boolean";
};

/** How each kind of type is written. */
const WRITERS: Record<string, (value: never) => string> = {
  keyword: (name: string) => name,
  literal: (value: Literal) => JSON.stringify(value[value.kind]),
  typeRef: (ref: { typeName: string; typeParams?: DocType[] }) =>
    ref.typeName + args(ref.typeParams),
  array: (of: DocType) => `${inner(of)}[]`,
  tuple: (types: DocType[]) => `[${types.map(type).join(", ")}]`,
  union: (types: DocType[]) => types.map(type).join(" | "),
  intersection: (types: DocType[]) => types.map(type).join(" & "),
  parenthesized: (of: DocType) => `(${type(of)})`,
  rest: (of: DocType) => `...${type(of)}`,
  optional: (of: DocType) => `${type(of)}?`,
  typeQuery: (name: string) => `typeof ${name}`,
  this: () => "this",
  typeOperator: (of: { operator: string; tsType: DocType }) =>
    `${of.operator} ${type(of.tsType)}`,
  indexedAccess: (of: { objType: DocType; indexType: DocType }) =>
    `${type(of.objType)}[${type(of.indexType)}]`,
  fnOrConstructor: (
    of: DocFunction & { constructor: boolean; tsType: DocType },
  ) =>
    `${of.constructor ? "new " : ""}${typeParams(of.typeParams)}(${
      of.params.map(param).join(", ")
    }) => ${type(of.tsType)}`,
  typePredicate: (
    of: { asserts?: boolean; param: { name?: string }; type?: DocType },
  ) =>
    `${of.asserts ? "asserts " : ""}${of.param.name ?? "this"}${
      of.type ? ` is ${type(of.type)}` : ""
    }`,
  typeLiteral: (of: DocDefinition) => {
    const { properties = [], methods = [], indexSignatures = [] } = of;
    const members = [
      ...indexSignatures.map(indexSignature),
      ...[...properties, ...methods].map(memberSignature),
    ];
    return members.length === 0 ? "{}" : `{ ${members.join("; ")} }`;
  },
};

/** Writes a type. */
function type(of: DocType | undefined): string {
  if (of === undefined) return "unknown";
  const write = WRITERS[of.kind];
  if (write === undefined) throw new Error(`Cannot write a type of ${of.kind}`);
  return write(of.value as never);
}

/** A type that something is put behind. */
function inner(of: DocType): string {
  return /^(union|intersection|fnOrConstructor|typeOperator)$/.test(of.kind)
    ? `(${type(of)})`
    : type(of);
}
