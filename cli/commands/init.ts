import type { ChunkSizes } from "@snap/hash/chunk";
import type { StoreSettings } from "@snap/store/format";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import { loadLate } from "../load_late.ts";
import { COMMAND } from "../product.ts";
import type { Session } from "../session.ts";
import { placeOf } from "../stores/locate_store.ts";
import { namingStore } from "../stores/naming_store.ts";
import { openStore } from "../stores/open_store.ts";
import type { OpenedStore, StorePlace } from "../stores/opened_store.ts";
import { withoutPassword } from "../stores/store_address.ts";
import { parseSize } from "../terminal/units.ts";
import { UsageError } from "../arguments/usage_error.ts";

/** `snap init [PATH]` */
export async function run(session: Session): Promise<number> {
  const settings = await settingsOf(session);
  const place = await placeOfNew(session);
  const where = place.kind === "folder"
    ? place.path
    : withoutPassword(place.url);
  const [{ initStore }, { formatSettings }] = await Promise.all([
    import("@snap/store/format"),
    import("@snap/snapshot"),
  ]);
  // Opening a folder says what is wrong, if anything is.
  if (place.kind === "folder" && await isStore(place.path)) {
    throw thereIsOne(where);
  }
  const { signal } = session;
  const opened = await openStore(session, place, { create: true })
    .catch(async (error: Error) => {
      if (error.name !== "NotAStoreError") throw error;
      const { STORE_FOLDER } = await import("@snap/store/file");
      throw new CommandError(
        error.message,
        `name a folder that is absent or empty, such as ${where}/${STORE_FOLDER}`,
      );
    });
  try {
    const { store } = opened;
    if (place.kind === "far") {
      const size = await namingStore(
        where,
        () => store.size("config/1", { signal }),
      );
      if (size !== undefined) throw thereIsOne(where);
      await probe(opened, session);
    }
    const config = await initStore(store, formatSettings(settings), { signal });
    await session.result(where, {
      type: "store",
      path: where,
      storeId: config.storeId,
      createdAt: config.createdAt,
      settings: config.settings,
    });
    return ExitCode.done;
  } finally {
    await opened[Symbol.asyncDispose]();
  }
}

function thereIsOne(where: string): CommandError {
  return new CommandError(
    `Cannot make a store in ${JSON.stringify(where)}: there is one`,
    `${COMMAND} stats --store ${where} tells what it holds`,
  );
}

async function probe(
  opened: OpenedStore,
  { signal }: Session,
): Promise<void> {
  try {
    await opened.probe?.({ signal });
  } catch (error) {
    if ((error as { code?: unknown }).code !== "NO_CONDITION") throw error;
    throw new CommandError(
      `Cannot make a store in ${opened.location}: its server cannot create only what is absent, so that two who write at once could lose what they saved`,
      "--single-writer says that only one program ever writes at a time",
    );
  }
}

/** Place of the new store: as the user names it, else `SNAP_STORE`, else `.snap` in the user's folder. */
async function placeOfNew(session: Session): Promise<StorePlace> {
  const { args, context } = session;
  const [argument] = args.positionals;
  const option = args.text("store");
  if (argument !== undefined && option !== undefined) {
    throw new UsageError(
      "Cannot init: PATH and --store are two names for one place",
    );
  }
  const { STORE_FOLDER } = await import("@snap/store/file");
  const text = option ?? argument ?? (context.env("SNAP_STORE") || undefined) ??
    STORE_FOLDER;
  return await placeOf(session, text, { isNew: true });
}

async function isStore(path: string): Promise<boolean> {
  const { lstat } = await import("node:fs/promises");
  try {
    await lstat(`${path}/config/1`);
    return true;
  } catch {
    return false;
  }
}

async function settingsOf(session: Session): Promise<StoreSettings> {
  const { DEFAULT_SETTINGS, formatSettings } = await import(
    "@snap/snapshot"
  );
  const { args } = session;
  const settings: StoreSettings = {
    chunk: await chunkSizesOf(args.text("chunk-sizes"), DEFAULT_SETTINGS.chunk),
    bundleSizeMax: sizeOf(session, "bundle-size") ??
      DEFAULT_SETTINGS.bundleSizeMax,
    largeFrameTarget: sizeOf(session, "content-size") ??
      DEFAULT_SETTINGS.largeFrameTarget,
    packSizeTarget: sizeOf(session, "pack-size") ??
      DEFAULT_SETTINGS.packSizeTarget,
    codec: await codecOf(session) ?? DEFAULT_SETTINGS.codec,
  };
  return refused(() => {
    formatSettings(settings);
    return settings;
  });
}

async function codecOf(session: Session): Promise<string | undefined> {
  const { settingOf } = await loadLate(
    "config/settings",
  ) as typeof import("../config/settings.ts");
  return (await settingOf(session, "codec")).value as string | undefined;
}

function sizeOf(session: Session, name: string): number | undefined {
  const text = session.args.text(name);
  if (text === undefined) return undefined;
  const size = parseSize(text);
  if (size !== undefined) return size;
  throw new UsageError(
    `Cannot use --${name} ${JSON.stringify(text)}: it takes a size such as 64k`,
  );
}

async function chunkSizesOf(
  text: string | undefined,
  base: ChunkSizes,
): Promise<ChunkSizes> {
  if (text === undefined) return base;
  const sizes = text.split("/").map(parseSize);
  const [sizeMin, sizeAverage, sizeMax] = sizes;
  if (
    sizes.length !== 3 || sizeMin === undefined ||
    sizeAverage === undefined || sizeMax === undefined
  ) {
    throw new UsageError(
      `Cannot use --chunk-sizes ${
        JSON.stringify(text)
      }: it takes three sizes such as 8k/32k/128k`,
    );
  }
  const { Chunker } = await import("@snap/hash/chunk");
  const { gearSeed } = base;
  return refused(() =>
    new Chunker({ sizeMin, sizeAverage, sizeMax, gearSeed }).sizes
  );
}

/** Turns errors of settings into wrong usage. */
function refused<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) {
      throw new UsageError(error.message);
    }
    throw error;
  }
}
