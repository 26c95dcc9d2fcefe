import { idFromBytes } from "@snap/hash";
import { ObjectKind, ObjectNotFoundError, PackRole } from "@snap/pack";
import {
  INDEX_PAGE_SIZE,
  type IndexFile,
  type ObjectIndex,
} from "@snap/pack/index";
import { RecipeNode } from "@snap/pack/recipe";
import { type StoreReader, takeRange } from "@snap/pack/read";
import type { Pacer } from "@snap/posix/pacer";
import type { StoreOptions } from "@snap/store";
import type { DamageLog } from "./damage_log.ts";
import { damageOf, fileDamageOf } from "./damage_of.ts";
import { IdSet } from "../reach/id_set.ts";
import { IndexCheck } from "./index.ts";
import {
  type CheckedPack,
  type IsChecked,
  PackCheck,
  type PackFile,
} from "./pack.ts";
import { compareRows } from "./rows.ts";
import { SideBySide } from "./side_by_side.ts";
import { WholeCheck } from "./whole.ts";
import type { VerifyProgress } from "./verify_progress.ts";

const NOTHING = new Uint8Array(0);
/** Packs up to this size are read at once where the store is far away. */
const WHOLE_SIZE_MAX = 4 << 20;
/** Memory that the check of a pack needs, and that of a content. */
const PACK_COST = 8 << 20;
const CONTENT_COST = 1 << 20;

/** A pack as the index knows it. */
export interface KnownPack {
  readonly packNumber: number;
  readonly role: number;
  readonly packSize: number;
  /** Whether no sound table names it: the save may have been killed before all had come. */
  readonly isUnnamed: boolean;
}

type IndexedPackFile = PackFile & KnownPack;

/** Parts of {@linkcode VerifyData}. */
export interface VerifyDataOptions {
  readonly reader: StoreReader;
  /** The packs to read; those that the index knows are. */
  readonly packs: readonly PackFile[];
  /** By name: the packs that the index knows. */
  readonly indexed: ReadonlyMap<string, KnownPack>;
  readonly log: DamageLog;
  readonly counts: VerifyProgress;
  readonly pacer: Pacer;
  readonly signal?: AbortSignal | undefined;
}

/** Reads every byte of index tables and packs, then every large content as a whole. */
export class VerifyData {
  /** Packs in which something is wrong: what snapshots need of them is read one by one. */
  readonly suspects: Set<string> = new Set();
  readonly #options: VerifyDataOptions;
  readonly #storeOptions: StoreOptions;
  readonly #indexCheck: IndexCheck;
  /** Checks of packs that are not in use. */
  readonly #packChecks: PackCheck[] = [];
  readonly #tasks: SideBySide;
  readonly #knownRoots = new IdSet();
  #rootsChecked = 0;
  #roots = new Uint8Array(32 * 64);

  constructor(options: VerifyDataOptions) {
    this.#options = options;
    const { signal, reader } = options;
    this.#storeOptions = { signal };
    this.#indexCheck = new IndexCheck(reader.hasher);
    this.#tasks = new SideBySide(reader.ranges.isFar);
  }

  /**
   * Checks everything: tree packs first, as they hold the recipes; then what the
   * recipes give; then data packs, of which a part is known by now.
   */
  async check(): Promise<void> {
    try {
      await this.#check();
    } finally {
      await this.#tasks.settled();
    }
  }

  async #check(): Promise<void> {
    const { reader, counts, pacer } = this.#options;
    const checked = new IdSet();
    const storeOptions = this.#storeOptions;
    const options = { reader, counts, pacer, storeOptions, checked };
    const whole = new WholeCheck(options);
    const packs = this.#packs();
    await this.#checkTables();
    counts.phase = "packs";
    for (const pack of packs) {
      if (pack.role === PackRole.trees) await this.#addPack(pack);
    }
    await this.#tasks.finish();
    await this.#checkContents(whole);
    counts.phase = "packs";
    for (const pack of packs) {
      if (pack.role === PackRole.trees) continue;
      const { packNumber } = pack;
      await this.#addPack(
        pack,
        (ids, start) => checked.has(ids, start, packNumber, 0),
      );
    }
    await this.#tasks.finish();
    await this.#checkContents(whole);
    await this.#tasks.finish();
  }

  /** The packs to read, with what the index knows of them. */
  #packs(): IndexedPackFile[] {
    const { indexed, reader, counts } = this.#options;
    const packs: IndexedPackFile[] = [];
    for (const pack of this.#options.packs) {
      const known = indexed.get(pack.name);
      if (known !== undefined) packs.push({ ...pack, ...known });
    }
    counts.packTotal = packs.length;
    for (const { size } of packs) counts.byteTotal += size;
    for (const { size, isBuilt } of reader.index.index.liveTables) {
      if (!isBuilt) counts.byteTotal += size;
    }
    return packs;
  }

  async #checkTables(): Promise<void> {
    const { reader, log, counts, pacer } = this.#options;
    const { index } = reader.index;
    for (const file of index.liveTables) {
      const { name } = file;
      if (file.isBuilt) continue;
      try {
        const { ranges } = reader;
        const storeOptions = this.#storeOptions;
        const onPage = this.#keepPage(index, file);
        const parts = { ranges, counts, pacer, storeOptions, onPage };
        const { problems } = await this.#indexCheck.check(file, parts);
        for (const problem of problems) {
          const message = `Cannot trust ${name} as ${problem}`;
          const reason = "disk";
          log.add({ subject: "index", storeName: name, reason, message });
        }
      } catch (error) {
        this.#failFile(error, "index", name);
      }
    }
  }

  /** Keeps the pages of a table, so that none has to be read again from afar. */
  #keepPage(
    index: ObjectIndex,
    file: IndexFile,
  ): ((offset: number, bytes: Uint8Array) => void) | undefined {
    if (!this.#options.reader.ranges.isFar) return undefined;
    const table = index.tables.indexOf(file);
    const { name } = file;
    return (offset, bytes) => {
      try {
        index.give({ table, name, offset, length: INDEX_PAGE_SIZE }, bytes);
      } catch (error) {
        // What is wrong with it is told by the check.
        if (!(error instanceof SyntaxError)) throw error;
      }
    };
  }

  async #addPack(pack: IndexedPackFile, isChecked?: IsChecked): Promise<void> {
    const size = Math.min(pack.size, PACK_COST);
    await this.#tasks.add(size, () => this.#checkPack(pack, isChecked));
  }

  async #checkPack(
    pack: IndexedPackFile,
    isChecked?: IsChecked,
  ): Promise<void> {
    const { log, counts, pacer } = this.#options;
    const { name } = pack;
    try {
      const checked = await this.#readTwice(pack, isChecked);
      counts.packCount++;
      this.#logPack(pack, checked);
      const { table, role } = checked;
      if (table === undefined || role === undefined) return;
      for (const row of pack.isUnnamed ? [] : checked.roots) {
        this.#addRoot(table.bytes, table.idStart(row));
      }
      await this.#compareRows(pack, checked);
    } catch (error) {
      this.#failFile(error, "pack", name);
    } finally {
      if (log.count > 0) await pacer.yield();
    }
  }

  /** Reads a pack; once more, from the store itself, before it is called damaged. */
  async #readTwice(
    pack: PackFile,
    isChecked: IsChecked | undefined,
  ): Promise<CheckedPack> {
    const first = await this.#readPack(pack, { isChecked });
    const isSound = first.faults.length + first.problems.length === 0;
    if (isSound) return first;
    return await this.#readPack(pack, { isChecked, isAgain: true });
  }

  async #readPack(
    pack: PackFile,
    how: { readonly isChecked?: IsChecked; readonly isAgain?: boolean },
  ): Promise<CheckedPack> {
    const { counts, pacer, reader } = this.#options;
    const { ranges } = reader;
    const { isChecked, isAgain = false } = how;
    const check = this.#packChecks.pop() ?? new PackCheck(reader.hasher);
    const steps = check.check(pack, isChecked);
    const { name, size } = pack;
    const isWhole = ranges.isFar && size <= WHOLE_SIZE_MAX;
    const read = (offset: number, length: number) => {
      if (isAgain) ranges.distrust(name, offset, length);
      return takeRange(ranges, { name, offset, length }, this.#storeOptions);
    };
    const whole = isWhole ? await read(0, size) : undefined;
    let step = steps.next();
    while (!step.done) {
      if (typeof step.value === "number") {
        const turn = pacer.yield(step.value);
        if (turn !== undefined) await turn;
        step = steps.next(NOTHING);
        continue;
      }
      const { offset, length } = step.value;
      const reading = whole?.subarray(offset, offset + length) ??
        read(offset, length);
      const bytes = reading instanceof Promise ? await reading : reading;
      if (!isAgain) counts.byteCount += length;
      step = steps.next(bytes);
    }
    this.#packChecks.push(check);
    return step.value;
  }

  #logPack(pack: PackFile, checked: CheckedPack): void {
    const { log } = this.#options;
    const { name: storeName } = pack;
    const { table, faults, problems } = checked;
    if (faults.length > 0 || problems.length > 0) this.suspects.add(storeName);
    for (const { row, reason } of faults) {
      const id = idFromBytes(table!.bytes, table!.idStart(row));
      const kind = table!.kind(row);
      const how = reason === "disk"
        ? "its stored bytes differ from their checksum"
        : "other bytes were stored, with the right checksum";
      const message = `Cannot read object ${id} of ${storeName}: ${how}`;
      log.add({ subject: "object", id, kind, storeName, reason, message });
    }
    for (const problem of problems) {
      const message = `Cannot trust ${storeName}: ${problem}`;
      log.add({ subject: "pack", storeName, reason: "disk", message });
    }
  }

  async #compareRows(pack: PackFile, checked: CheckedPack): Promise<void> {
    const { reader, log } = this.#options;
    const { name: storeName } = pack;
    const role = checked.role!;
    try {
      const found = await compareRows(
        reader.index,
        { name: storeName, role },
        checked.table!,
        this.#storeOptions,
      );
      const claimed = this.#indexCheck.rowCounts.get(storeName);
      const known = found.rightCount + found.wrongCount;
      // Of a pack of another size its own table is read, and known beside what is claimed.
      const extra = found.isComplete && claimed !== undefined
        ? Math.max(0, claimed - known)
        : 0;
      const { absentCount, wrongCount } = found;
      if (absentCount === 0 && wrongCount === 0 && extra === 0) return;
      this.suspects.add(storeName);
      const message =
        `Cannot trust the index of ${storeName}: ${absentCount} objects are absent, ${wrongCount} elsewhere and ${extra} made up`;
      const reason = "disagreement";
      log.add({ subject: "index", storeName, reason, message });
    } catch (error) {
      const id = pack.id;
      this.#fail(error, { id, kind: ObjectKind.content });
    }
  }

  #addRoot(bytes: Uint8Array, start: number): void {
    const { count } = this.#knownRoots;
    if (!this.#knownRoots.add(bytes, start, 0, ObjectKind.recipe)) return;
    if (32 * count === this.#roots.length) {
      const larger = new Uint8Array(this.#roots.length * 2);
      larger.set(this.#roots);
      this.#roots = larger;
    }
    this.#roots.set(bytes.subarray(start, start + 32), 32 * count);
  }

  /** Hashes what each recipe gives: right chunks in a wrong order are found here only. */
  async #checkContents(whole: WholeCheck): Promise<void> {
    const { counts } = this.#options;
    counts.phase = "contents";
    for (; this.#rootsChecked < this.#knownRoots.count; this.#rootsChecked++) {
      const at = 32 * this.#rootsChecked;
      const id = this.#roots.slice(at, at + 32);
      await this.#tasks.add(CONTENT_COST, async () => {
        try {
          await this.#checkContent(id, whole);
        } catch (error) {
          // Once no snapshot needs a recipe its chunks may go before it does: of those
          // that are needed the walk through the snapshots names what is missing.
          if (error instanceof ObjectNotFoundError) return;
          this.#fail(error, { id, kind: ObjectKind.recipe });
        }
      });
    }
  }

  async #checkContent(id: Uint8Array, whole: WholeCheck): Promise<void> {
    const { reader } = this.#options;
    const { recipe, content } = ObjectKind;
    const bytes = await reader.readStored(id, recipe, this.#storeOptions);
    if (bytes === undefined) return;
    const root = RecipeNode.decode(bytes, reader.hasher);
    if (root.objectKind === content) await whole.check(id, root);
    else await reader.readObject(id, root.objectKind, this.#storeOptions);
  }

  #fail(
    error: unknown,
    wanted: { readonly id: Uint8Array; readonly kind: number },
  ): void {
    const { signal, log } = this.#options;
    signal?.throwIfAborted();
    const damage = damageOf(error, wanted);
    if (damage === undefined) throw error;
    log.add(damage);
  }

  #failFile(error: unknown, subject: "pack" | "index", name: string): void {
    const { signal, log } = this.#options;
    signal?.throwIfAborted();
    const damage = fileDamageOf(error, subject, name);
    if (damage === undefined) throw error;
    if (subject === "pack") this.suspects.add(name);
    log.add(damage);
  }
}
