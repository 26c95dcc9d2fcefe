import type { Owners } from "@snap/posix/owners";

/** The attributes that hold lists, and the keywords of tar. */
export const ACL_KEYWORDS: ReadonlyMap<string, string> = new Map([
  ["system.posix_acl_access", "SCHILY.acl.access"],
  ["system.posix_acl_default", "SCHILY.acl.default"],
]);

const VERSION = 2;
const NO_ID = 0xffffffff;
/** Tags of entries as Linux numbers them, and their words. */
const TAGS:
  readonly (readonly [tag: number, word: string, isNamed: boolean])[] = [
    [0x01, "user", false],
    [0x02, "user", true],
    [0x04, "group", false],
    [0x08, "group", true],
    [0x10, "mask", false],
    [0x20, "other", false],
  ];
const encoder = new TextEncoder();

/**
 * Writes a list of rights as text, owners by their numbers.
 *
 * @param bytes The value of the extended attribute.
 * @returns The text; `undefined` if the value is no list.
 */
export function aclToText(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || bytes.length % 8 !== 4) return undefined;
  if (view.getUint32(0, true) !== VERSION) return undefined;
  const parts: string[] = [];
  for (let at = 4; at < bytes.length; at += 8) {
    const tag = view.getUint16(at, true), rights = view.getUint16(at + 2, true);
    const known = TAGS.find(([one]) => one === tag);
    if (known === undefined || rights > 7) return undefined;
    const id = known[2] ? String(view.getUint32(at + 4, true)) : "";
    parts.push(`${known[1]}:${id}:${rightsText(rights)}`);
  }
  return parts.join(",");
}

/**
 * Reads a list of rights from text, as programs write it: entries between commas or
 * in lines, owners by name or number, a name with its number behind the rights.
 *
 * @param owners Knows the numbers of names that have none.
 * @returns The value of the extended attribute; `undefined` if the text is no list.
 */
export function aclFromText(
  text: string,
  owners: Owners,
): Uint8Array | undefined {
  const rows: { tag: number; rights: number; id: number }[] = [];
  for (const line of text.split(/[,\n]/)) {
    const entry = line.replace(/#.*/, "").trim();
    if (entry === "") continue;
    const row = parseEntry(entry, owners);
    if (row === undefined) return undefined;
    rows.push(row);
  }
  if (rows.length === 0) return undefined;
  rows.sort((a, b) => a.tag - b.tag || a.id - b.id);
  const bytes = new Uint8Array(4 + 8 * rows.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, VERSION, true);
  for (const [i, { tag, rights, id }] of rows.entries()) {
    view.setUint16(4 + 8 * i, tag, true);
    view.setUint16(6 + 8 * i, rights, true);
    view.setUint32(8 + 8 * i, id, true);
  }
  return bytes;
}

function parseEntry(
  entry: string,
  owners: Owners,
): { tag: number; rights: number; id: number } | undefined {
  const [kind, ...parts] = entry.split(":");
  const word = { u: "user", g: "group", m: "mask", o: "other" }[kind] ?? kind;
  // "other::r--" and "other:r--" say the same.
  const isShort = (word === "mask" || word === "other") && parts.length === 1;
  const [name, rightsWord = "", number] = isShort ? ["", ...parts] : parts;
  const rights = parseRights(rightsWord);
  const isNamed = name !== undefined && name !== "";
  const known = TAGS.find(([, one, named]) =>
    one === word && named === isNamed
  );
  if (rights === undefined || known === undefined) return undefined;
  if (!isNamed) return { tag: known[0], rights, id: NO_ID };
  const id = idOf(name, number, word, owners);
  return id === undefined ? undefined : { tag: known[0], rights, id };
}

function idOf(
  name: string,
  number: string | undefined,
  word: string,
  owners: Owners,
): number | undefined {
  const digits = number ?? name;
  if (/^\d{1,10}$/.test(digits) && Number(digits) < NO_ID) {
    return Number(digits);
  }
  const bytes = encoder.encode(name);
  const id = word === "user"
    ? owners.userId(bytes, -1)
    : owners.groupId(bytes, -1);
  return id < 0 ? undefined : id;
}

function parseRights(word: string): number | undefined {
  if (!/^[r-][w-][xX-]$/.test(word)) return undefined;
  return (word[0] === "r" ? 4 : 0) + (word[1] === "w" ? 2 : 0) +
    (word[2] === "-" ? 0 : 1);
}

function rightsText(rights: number): string {
  return (rights & 4 ? "r" : "-") + (rights & 2 ? "w" : "-") +
    (rights & 1 ? "x" : "-");
}
