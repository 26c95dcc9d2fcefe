import { loadLate } from "../load_late.ts";
import type { Session } from "../session.ts";
import type { ConfigValue } from "./config_keys.ts";

/** Values by their keys. */
export type ConfigTable = Readonly<Record<string, ConfigValue>>;

/** Rules of what is kept, each of them one that can be. */
export type PolicyTable = Readonly<
  Record<string, ConfigValue | readonly string[]>
>;

/** The configuration of a user. */
export interface ConfigFile {
  /** The path of the file; absent where the environment names no folder for it. */
  readonly path: string | undefined;
  /** Whether the file is there. */
  readonly isThere: boolean;
  /** The keys above all tables. */
  readonly top: ConfigTable;
  /** The stores by name. */
  readonly stores: ReadonlyMap<string, ConfigTable>;
  /** Rules of what is kept, by name; those without a name are under "". */
  readonly policies: ReadonlyMap<string, PolicyTable>;
}

const read = new WeakMap<Session, Promise<ConfigFile>>();

/**
 * The configuration of the user, read at most once for a command. Its parser is
 * loaded only where there is a file.
 *
 * @throws {CommandError} If the file cannot be read, or is wrong.
 */
export function configOf(session: Session): Promise<ConfigFile> {
  let config = read.get(session);
  if (config === undefined) read.set(session, config = readIt(session));
  return config;
}

async function readIt(session: Session): Promise<ConfigFile> {
  const { context } = session;
  const named = context.env("SNAP_CONFIG");
  const path = named || placeOf(session);
  const none = {
    path,
    isThere: false,
    top: {},
    stores: new Map(),
    policies: new Map(),
  };
  // Nobody is asked to let this look for a file that may not be there.
  const isReadable = path !== undefined &&
    (named || context.isAllowed?.("read", path) !== false);
  if (!isReadable) return none;
  const { existsSync } = await import("node:fs");
  if (!named && !existsSync(path)) return none;
  const { readConfig } = await loadLate(
    "config/read_config",
  ) as typeof import("./read_config.ts");
  return await readConfig(session, path);
}

/** By the rules of XDG, which have a relative path ignored. */
function placeOf({ context }: Session): string | undefined {
  const folder = context.env("XDG_CONFIG_HOME");
  if (folder?.startsWith("/")) return `${folder}/snap/config.toml`;
  const home = context.env("HOME");
  return home ? `${home}/.config/snap/config.toml` : undefined;
}
