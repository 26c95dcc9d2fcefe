// A side that lies: its messages are well formed, and what they say is not so.
import { wasmHasher as hasher } from "@snap/hash/wasm-hasher";
import { noneCodec } from "@snap/pack/codecs";
import { ObjectKind, PackRole } from "@snap/pack";
import { RecipeNode, RecipeRowKind } from "@snap/pack/recipe";
import { RecipeBuilder } from "@snap/pack/recipe-writer";
import { FrameBuilder, PackWriter } from "@snap/pack/write";
import { saveIdOf } from "@snap/store";
import {
  decodeMessage,
  encodeMessage,
  type Message,
  MessageType,
  type Section,
  SectionKind,
} from "@snap/sync/protocol";
import type { Faults } from "./faults.ts";
import { objectsOf, type PackedObject } from "./oracle.ts";
import type { Liar } from "./sim_link.ts";

/** Messages that are kept, to be said again where they do not belong. */
const KEPT_MAX = 64;
const NUMBERS = [0, 1, 2, 255, 65_536, 2 ** 32 - 1, 2 ** 53 - 1, -1, 1.5];
const CODES = ["BUSY", "STORE", "SESSION", "VOID", "LARGE", "LYING", "NONE"];

/** Which messages a {@linkcode makeLiar} changes. */
export interface LiarOptions {
  readonly faults: Faults;
  /** Whether it is the side that asks, or the one that answers. */
  readonly side: "client" | "server";
  /** The id of the store of the other side, 32 hex digits. */
  readonly otherStore: string;
}

/** Makes a side that lies. */
export function makeLiar({ faults, side, otherStore }: LiarOptions): Liar {
  const kept: Message[] = [];
  const lie = (bytes: Uint8Array): Uint8Array => {
    const message = decodeMessage(bytes.slice(), hasher);
    const said = new Lie(message, { faults, kept, otherStore }).tell();
    if (kept.push(message) > KEPT_MAX) kept.shift();
    return encodeMessage(said, hasher);
  };
  return {
    request: (bytes) => side === "client" ? lie(bytes) : bytes,
    answer: (bytes) => side === "server" ? lie(bytes) : bytes,
  };
}

/** One message, and what becomes of it. */
class Lie {
  #message: Message;
  readonly #faults: Faults;
  readonly #kept: readonly Message[];
  readonly #otherStore: string;

  constructor(
    message: Message,
    { faults, kept, otherStore }: {
      readonly faults: Faults;
      readonly kept: readonly Message[];
      readonly otherStore: string;
    },
  ) {
    this.#message = message;
    this.#faults = faults;
    this.#kept = kept;
    this.#otherStore = otherStore;
  }

  tell(): Message {
    const faults = this.#faults;
    if (faults.strikes("liar.replay")) this.#replay();
    if (faults.strikes("liar.section")) this.#takeSection();
    if (faults.strikes("liar.fields")) this.#change(1, changedFields);
    if (faults.strikes("liar.store")) {
      this.#change(
        1,
        (section) => withField(section, "storeId", this.#otherStore),
      );
    }
    if (faults.strikes("liar.ids")) {
      this.#change(SectionKind.ids, changedRows(36));
    }
    if (faults.strikes("liar.pack")) {
      this.#change(SectionKind.pack, changedPack);
    }
    if (faults.strikes("liar.withhold")) {
      this.#change(SectionKind.pack, () => undefined);
    }
    if (faults.strikes("liar.bytes")) this.#change(undefined, changedBytes);
    const isAnswer = this.#message.type === MessageType.answer;
    if (isAnswer && faults.strikes("liar.error")) this.#fail();
    return this.#message;
  }

  /** Says what was right another time. */
  #replay(): void {
    const { verb, type, request, session } = this.#message;
    const same = this.#kept.filter((one) =>
      one.verb === verb && one.type === type
    );
    if (same.length === 0) return;
    const old = same[this.#faults.below(same.length)];
    this.#message = { ...old, request, session };
  }

  /** Puts a section of another message in the place of one of its kind. */
  #takeSection(): void {
    const others = this.#kept.flatMap(({ sections }) => sections);
    this.#change(undefined, (section, faults) => {
      const same = others.filter(({ kind }) => kind === section.kind);
      return same.length === 0 ? undefined : same[faults.below(same.length)];
    });
    // One that belongs elsewhere comes besides.
    if (others.length === 0 || this.#faults.below(2) === 0) return;
    const more = others[this.#faults.below(others.length)];
    const sections = [...this.#message.sections, more].slice(0, 16);
    this.#message = { ...this.#message, sections };
  }

  #fail(): void {
    const code = CODES[this.#faults.below(CODES.length)];
    const text = JSON.stringify({ code, message: "Cannot say why" });
    const bytes = new TextEncoder().encode(text);
    const sections = [{ kind: SectionKind.fields, rows: 1, bytes }];
    const limit = NUMBERS[this.#faults.below(6)];
    this.#message = {
      ...this.#message,
      type: MessageType.error,
      limit,
      sections,
    };
  }

  /** Changes a section, of one kind or any. */
  #change(
    kind: number | undefined,
    change: (section: Section, faults: Faults) => Section | undefined,
  ): void {
    const { sections } = this.#message;
    const rows = sections.map((_, i) => i)
      .filter((i) => kind === undefined || sections[i].kind === kind);
    if (rows.length === 0) return;
    const row = rows[this.#faults.below(rows.length)];
    const said = change(sections[row], this.#faults);
    const changed = said === undefined
      ? sections.toSpliced(row, 1)
      : sections.with(row, said);
    this.#message = { ...this.#message, sections: changed };
  }
}

function changedFields(section: Section, faults: Faults): Section {
  const fields = JSON.parse(new TextDecoder().decode(section.bytes));
  const names = Object.keys(fields);
  if (names.length === 0) return section;
  const name = names[faults.below(names.length)];
  const value = fields[name];
  const number = NUMBERS[faults.below(NUMBERS.length)];
  return withField(
    section,
    name,
    typeof value === "boolean" && faults.below(2) === 0 ? !value : number,
  );
}

function withField(section: Section, name: string, value: unknown): Section {
  const fields = JSON.parse(new TextDecoder().decode(section.bytes));
  if (!Object.hasOwn(fields, name)) return section;
  const text = JSON.stringify({ ...fields, [name]: value });
  return { ...section, bytes: new TextEncoder().encode(text) };
}

/** Drops, doubles or changes a row. */
function changedRows(
  size: number,
): (section: Section, faults: Faults) => Section {
  return (section, faults) => {
    const { kind, rows, bytes } = section;
    if (rows === 0) return section;
    const at = size * faults.below(rows);
    const row = bytes.slice(at, at + size);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + size)];
    const join = (...parts: Uint8Array[]): Uint8Array =>
      new Uint8Array(Buffer.concat(parts));
    switch (faults.below(3)) {
      case 0:
        return { kind, rows: rows - 1, bytes: join(before, after) };
      case 1:
        return { kind, rows: rows + 1, bytes: join(before, row, row, after) };
      default:
        row[faults.below(33)] ^= 1 << faults.below(8);
        return { kind, rows, bytes: join(before, row, after) };
    }
  };
}

function changedBytes(section: Section, faults: Faults): Section {
  const bytes = section.bytes.slice();
  if (bytes.length === 0) return { ...section, rows: faults.below(1000) };
  if (faults.below(4) === 0) {
    return { ...section, bytes: bytes.subarray(0, faults.below(bytes.length)) };
  }
  bytes[faults.below(bytes.length)] ^= 1 << faults.below(8);
  return { ...section, bytes };
}

/** A pack whose form is right, with bytes under ids that are those of others. */
function changedPack(section: Section, faults: Faults): Section {
  const objects = objectsOf(section.bytes);
  if (objects.length === 0) return section;
  const roots = objects.map((_, i) => i).filter((i) => isRoot(objects[i]));
  if (roots.length > 0 && faults.below(2) === 0) {
    const root = roots[faults.below(roots.length)];
    objects[root] = { ...objects[root], bytes: turnedRoot(objects[root]) };
    return { ...section, bytes: packOf(objects, section.bytes, faults) };
  }
  const at = faults.below(objects.length);
  const { kind } = objects[at];
  const same = objects.filter((one) => one.kind === kind);
  const other = same[faults.below(same.length)].bytes;
  const bytes = faults.below(2) === 0 ? other : withBit(objects[at], faults);
  objects[at] = { ...objects[at], bytes };
  if (faults.below(4) === 0) objects.splice(at, 1);
  return { ...section, bytes: packOf(objects, section.bytes, faults) };
}

function withBit({ bytes }: PackedObject, faults: Faults): Uint8Array {
  const changed = bytes.slice();
  changed[faults.below(changed.length)] ^= 1 << faults.below(8);
  return changed;
}

function isRoot({ kind, bytes }: PackedObject): boolean {
  return kind === ObjectKind.recipe && RecipeNode.decode(bytes, hasher).isRoot;
}

/** A root whose form is right, with its rows the other way round. */
function turnedRoot({ bytes }: PackedObject): Uint8Array {
  const node = RecipeNode.decode(bytes, hasher);
  let turned = bytes;
  const onNode = (bytes: Uint8Array): void => void (turned = bytes.slice());
  const builder = new RecipeBuilder({ hasher, onNode });
  for (let row = node.count - 1; row >= 0; row--) {
    const kind = node.rowKind(row), size = node.size(row);
    if (kind === RecipeRowKind.node) return bytes;
    if (kind === RecipeRowKind.zeros) builder.pushZeros(size);
    else builder.push(node.bytes, node.idStart(row), size);
  }
  builder.finish({ id: node.id, kind: node.objectKind });
  return turned;
}

function packOf(
  objects: readonly PackedObject[],
  like: Uint8Array,
  faults: Faults,
): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new PackWriter({
    sink: { write: (bytes) => void parts.push(bytes.slice()) },
    role: PackRole.trees,
    saveId: saveIdOf(like) ?? new Uint8Array(16),
    salt: new Uint8Array(32).fill(faults.below(256)),
    codec: noneCodec,
    hasher,
  });
  const frame = new FrameBuilder();
  for (const { bytes, id, kind } of objects) frame.add(bytes, id, 0, kind);
  if (frame.size > 0) writer.addFrame(frame.plain(), frame.rows);
  writer.finish();
  return new Uint8Array(Buffer.concat(parts));
}
