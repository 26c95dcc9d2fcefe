/** Check of `--json` lines in tests against `docs/json.schema.json`, read strictly. */
import { readFileSync } from "node:fs";

interface Schema {
  readonly $ref?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly contentEncoding?: string;
  readonly description?: string;
}

interface Root {
  readonly oneOf: readonly Schema[];
  readonly $defs: Readonly<Record<string, Schema>>;
}

const root = JSON.parse(
  readFileSync(new URL("../docs/json.schema.json", import.meta.url), "utf8"),
) as Root;

/** The types of lines that the schema has. */
export const LINE_TYPES: readonly string[] = root.oneOf.map((one) =>
  String(one.properties?.type.const)
);

/**
 * Parses JSON lines and checks each against the schema. A field that the schema
 * does not have is a problem here, so that none is forgotten.
 *
 * @throws {Error} If a line is not what the schema says.
 */
export function parseLines(text: string): Record<string, unknown>[] {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new Error(`No line break at the end: ${text}`);
  return lines.map((line) => {
    const value = JSON.parse(line) as Record<string, unknown>;
    const schema = root.oneOf.find((one) =>
      one.properties?.type.const === value.type
    );
    if (schema === undefined) throw new Error(`No such type: ${line}`);
    check(value, schema, String(value.type));
    return value;
  });
}

function check(value: unknown, given: Schema, at: string): void {
  const schema = given.$ref === undefined
    ? given
    : root.$defs[given.$ref.replace("#/$defs/", "")];
  const fail = (need: string): never => {
    throw new Error(`${at} must be ${need}: found ${JSON.stringify(value)}`);
  };
  if ("const" in schema && value !== schema.const) fail(`${schema.const}`);
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    fail(schema.enum.join(" or "));
  }
  if (schema.type !== undefined && typeOf(value) !== schema.type) {
    fail(schema.type);
  }
  if (typeof value === "string") {
    if (!new RegExp(schema.pattern ?? "").test(value)) fail(schema.pattern!);
    if (schema.contentEncoding === "base64") atob(value);
  }
  if (typeof value === "number") {
    if (value < (schema.minimum ?? -Infinity)) fail(`>= ${schema.minimum}`);
    if (value > (schema.maximum ?? Infinity)) fail(`<= ${schema.maximum}`);
  }
  if (Array.isArray(value)) {
    for (const item of value) check(item, schema.items!, `${at}[]`);
  } else if (typeOf(value) === "object") checkFields(value, schema, at);
}

function checkFields(value: unknown, schema: Schema, at: string): void {
  const fields = value as Record<string, unknown>;
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(fields, name)) throw new Error(`${at} needs ${name}`);
  }
  if (schema.properties === undefined) return;
  for (const [name, field] of Object.entries(fields)) {
    const own = schema.properties[name];
    if (own === undefined) throw new Error(`${at} has ${name}, unknown`);
    check(field, own, `${at}.${name}`);
  }
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value === null) return "null";
  return Number.isInteger(value) ? "integer" : typeof value;
}
