import { bytesOfHex } from "../records.ts";
import { equalBytes, hexOf, ID_SIZE } from "@snap/hash";
import { packName } from "@snap/pack";
import { RecipeNode } from "@snap/pack/recipe";
import type { FrameRows } from "@snap/pack/write";
import type { WriteStore } from "@snap/store";
import { SyncError } from "../errors.ts";
import { newMeter } from "../options.ts";
import { isRecipeRoot, openPack } from "../packs/open_pack.ts";
import { openStoreSource } from "../peer/open_store_source.ts";
import { type Section, SectionKind, sectionOf } from "../protocol/message.ts";
import {
  fieldsSection,
  type ProofRow,
  proofsSection,
  readProofs,
} from "../protocol/sections.ts";
import { lyingError } from "../peer/lost_object.ts";
import type { ServedRequest, ServedStore } from "./served.ts";
import { isMarked, markOf } from "./cursor.ts";

/** Proves that the chunks of large objects are what their roots say, then takes the roots. */
export async function answerSeal(
  served: ServedStore,
  { message, signal }: ServedRequest,
  store: WriteStore,
): Promise<readonly Section[]> {
  const { hasher, macKey, env, workMs } = served;
  const marker = { hasher, macKey };
  const pack = sectionOf(message, SectionKind.pack)?.bytes ?? new Uint8Array(0);
  const taken: FrameRows[] = [];
  const roots = rootsOf(pack, served, message.session, taken);
  const known = new Map<string, ProofRow>();
  for (const proof of readProofs(sectionOf(message, SectionKind.proofs))) {
    const { key, value, mac } = proof;
    if (isMarked([key, value], mac, marker)) known.set(hexOf(key), proof);
  }
  const deadline = env.now() + workMs;
  const how = { store, hasher, meter: newMeter(), signal };
  const source = await openStoreSource(how);
  try {
    const fresh: ProofRow[] = [];
    for (const root of roots) {
      const { id, objectKind: kind, plainSize: size, bytes } = root;
      const large = { id, kind, size, root: bytes, isProven: false };
      const found = await source.identify(large, {
        get: (key) => known.get(key)?.value ?? served.proofs.get(key),
        set: (name, value) => {
          served.proofs.set(name, value);
          const key = bytesOfHex(name);
          const proof = { key, value, mac: markOf([key, value], marker) };
          known.set(name, proof);
          fresh.push(proof);
        },
        // Each request gets on, however late it is.
        isLate: () => fresh.length > 0 && env.now() >= deadline,
      });
      if (found === "late") {
        return [fieldsSection({ isSealed: false }), proofsSection(fresh)];
      }
      if (found === undefined || !equalBytes(found, 0, id, 0, ID_SIZE)) {
        throw found === undefined
          ? lyingError(id, "a part of it is missing")
          : lyingError(id);
      }
    }
    const id = new Uint8Array(ID_SIZE);
    hasher.hashInto(pack, id);
    await store.create(packName(id), pack, { signal });
    served.sessions.add(message.session, taken, pack.length);
    return [fieldsSection({ isSealed: true }), proofsSection(fresh)];
  } finally {
    await source[Symbol.asyncDispose]();
  }
}

function rootsOf(
  pack: Uint8Array,
  { hasher }: ServedStore,
  saveId: Uint8Array,
  taken: FrameRows[],
): RecipeNode[] {
  const roots: RecipeNode[] = [];
  for (const { plain, rows } of openPack(pack, { hasher, saveId })) {
    taken.push(rows);
    for (let row = 0; row < rows.count; row++) {
      const at = rows.offsets[row];
      const bytes = plain.slice(at, at + rows.sizes[row]);
      if (!isRecipeRoot(bytes, rows.kinds[row])) {
        throw new SyncError("Cannot seal what is no root of a recipe", {
          code: "LYING",
        });
      }
      roots.push(RecipeNode.decode(bytes, hasher));
    }
  }
  return roots;
}
