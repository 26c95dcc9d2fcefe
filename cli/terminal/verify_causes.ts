import type { Damage, DamageSubject } from "@snap/snapshot/verify";
import { COMMAND } from "../product.ts";
import { formatCount } from "./units.ts";

type Found = Pick<Damage, "subject" | "reason">;

/** Singular and plural of each subject of damage. */
const NAMES: Readonly<Record<DamageSubject, readonly [string, string]>> = {
  object: ["object", "objects"],
  pack: ["pack", "packs"],
  index: ["index table", "index tables"],
  record: ["record", "records"],
  tag: ["tag entry", "tag entries"],
  config: ["config", "configs"],
  lease: ["lease", "leases"],
  removal: ["note of removal", "notes of removal"],
};

/**
 * Counts damages by their causes.
 *
 * @returns Text like `2 packs missing, 1 index table damaged`.
 */
export function causesOf(
  { damages }: { readonly damages: readonly Found[] },
): string {
  const counts = new Map<string, { count: number; found: Found }>();
  for (const found of damages) {
    const key = `${found.subject} ${stateOf(found)}`;
    const known = counts.get(key);
    if (known === undefined) counts.set(key, { count: 1, found });
    else known.count++;
  }
  return Array.from(counts.values(), ({ count, found }) => {
    const [one, more] = NAMES[found.subject];
    const what = found.subject === "index" && found.reason === "missing"
      ? "index"
      : count === 1
      ? one
      : more;
    const number = what === "index" ? "" : `${formatCount(count)} `;
    return `${number}${what} ${stateOf(found)}`;
  }).join(", ");
}

/** Says what mends what was found, and what does not. */
export function remediesOf(
  { damages }: { readonly damages: readonly Found[] },
): string[] {
  const has = (...subjects: DamageSubject[]) =>
    damages.some(({ subject }) => subjects.includes(subject));
  const isPackDamaged = damages.some((one) =>
    (one.subject === "pack" || one.subject === "object") &&
    one.reason !== "missing"
  );
  const lines: string[] = [];
  if (has("index")) {
    lines.push(`The index is mended by: ${COMMAND} repair index`);
  }
  if (isPackDamaged) {
    lines.push(
      `${COMMAND} repair packs marks damaged packs, and copies what is sound in them; then ${COMMAND} save stores again what its folder still has, and ${COMMAND} repair snapshots makes snapshots of what is left`,
    );
  } else if (has("pack", "object")) {
    lines.push(
      `What is missing comes back with its pack, from a copy of the store; else ${COMMAND} save stores again what its folder still has, and ${COMMAND} repair snapshots makes snapshots of what is left`,
    );
  }
  if (has("record")) {
    lines.push(`${COMMAND} recover finds the trees of records that are lost`);
  }
  if (has("record", "tag", "config")) {
    lines.push(
      `A record, a tag entry or a config comes back from a copy of the store; ${COMMAND} tag sets a tag anew`,
    );
  }
  return lines;
}

function stateOf({ reason }: Found): string {
  if (reason === "missing") return "missing";
  return reason === "disagreement" ? "contradicting a pack" : "damaged";
}
