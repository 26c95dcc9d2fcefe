import type { Damage, DamagedPath } from "./damage.ts";

/** Damages that are kept one by one; further ones are counted. */
const DAMAGES_MAX = 10_000;
/** Paths that are kept of each damage. */
const PATHS_MAX = 5;

export type FoundDamage = Omit<Damage, "paths" | "pathCount">;

interface LoggedDamage extends FoundDamage {
  readonly paths: DamagedPath[];
  pathCount: number;
}

/**
 * Collects damage: each thing once, with the paths that need it. What is missing is told
 * at the end: somebody may have written it anew elsewhere, and removed what was listed.
 */
export class DamageLog {
  /** The first damages, in the order in which they were found. */
  readonly damages: LoggedDamage[] = [];
  count = 0;
  readonly #byKey = new Map<string, LoggedDamage>();
  /** The path that was last added to each. */
  readonly #lastPaths = new WeakMap<LoggedDamage, string>();
  readonly #onDamage: ((damage: Damage) => void) | undefined;

  constructor(onDamage?: (damage: Damage) => void) {
    this.#onDamage = onDamage;
  }

  /** Whether anything is missing. */
  get misses(): boolean {
    return this.damages.some(isAbsence);
  }

  /** Forgets what is missing: it is looked for again. */
  forgetMissing(): void {
    const kept = this.damages.filter((damage) => !isAbsence(damage));
    this.count -= this.damages.length - kept.length;
    this.damages.splice(0, this.damages.length, ...kept);
    for (const [key, damage] of this.#byKey) {
      if (isAbsence(damage)) this.#byKey.delete(key);
    }
  }

  /** Tells of what is missing. */
  tellMissing(): void {
    for (const damage of this.damages) {
      if (isAbsence(damage)) this.#onDamage?.(damage);
    }
  }

  /** Whether anything was found. */
  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Adds damage, or a path to what is known. */
  add(found: FoundDamage, where?: DamagedPath): void {
    const key = keyOf(found);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      if (where !== undefined) this.#addPath(known, where);
      return;
    }
    this.count++;
    const damage: LoggedDamage = { ...found, paths: [], pathCount: 0 };
    if (where !== undefined) this.#addPath(damage, where);
    if (this.damages.length < DAMAGES_MAX) {
      this.damages.push(damage);
      this.#byKey.set(key, damage);
    }
    if (!isAbsence(damage)) this.#onDamage?.(damage);
  }

  /** By name of pack: how many objects are missing that it should hold. */
  missingObjects(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { subject, reason, storeName } of this.damages) {
      if (subject !== "object" || reason !== "missing") continue;
      if (storeName === undefined) continue;
      counts.set(storeName, (counts.get(storeName) ?? 0) + 1);
    }
    return counts;
  }

  /** Adds a path to an object that is known to be damaged; says whether it is. */
  addPathOf(kind: number, id: string, where: DamagedPath): boolean {
    const known = this.#byKey.get(`object ${kind} ${id}`);
    if (known !== undefined) this.#addPath(known, where);
    return known !== undefined;
  }

  /** A file that needs a thing more than once does so in one run. */
  #addPath(damage: LoggedDamage, where: DamagedPath): void {
    const key = `${where.snapshot} ${where.path}`;
    if (this.#lastPaths.get(damage) === key) return;
    this.#lastPaths.set(damage, key);
    damage.pathCount++;
    if (damage.paths.length < PATHS_MAX) damage.paths.push(where);
  }
}

/** Whether damage may be what a removal looks like from beside. */
function isAbsence({ reason }: FoundDamage): boolean {
  return reason === "missing" || reason === "disagreement";
}

function keyOf(found: FoundDamage): string {
  const { subject, id, kind, storeName } = found;
  if (id !== undefined) return `${subject} ${kind} ${id}`;
  return `${subject} ${storeName ?? found.message} ${found.reason}`;
}
