import type {
  FarCache,
  FarLimits,
  FarSettings,
} from "../stores/opened_store.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../arguments/usage_error.ts";
import { configOf, type ConfigTable } from "./config_file.ts";
import { CONFIG_KEYS, type ConfigValue } from "./config_keys.ts";
import { checkValue } from "./config_values.ts";

/** Where a value comes from. */
export type SettingSource =
  | "option"
  | "environment"
  | "store"
  | "file"
  | "default";

/** A value, and where it comes from. */
export interface Setting {
  /** The value; absent where nothing says one. */
  readonly value: ConfigValue | undefined;
  /** Where it comes from. */
  readonly source: SettingSource;
}

/**
 * Finds a value: an option goes before the environment, that before the table of
 * the store, that before what stands above all tables.
 *
 * @throws {UsageError} If an option or the environment has what cannot be.
 */
export async function settingOf(
  session: Session,
  name: string,
  table: ConfigTable = {},
): Promise<Setting> {
  const { args, context } = session;
  const { option, variable, kind } = CONFIG_KEYS[name];
  if (option !== undefined && args.has(option)) {
    const text = kind === "switch" ? true : args.text(option)!;
    const value = checked(`--${option}`, name, text);
    return { value, source: "option" };
  }
  const text = variable && context.env(variable);
  if (text) {
    const value = checked(variable, name, text);
    return { value, source: "environment" };
  }
  if (table[name] !== undefined) return { value: table[name], source: "store" };
  const { top } = await configOf(session);
  if (top[name] !== undefined) return { value: top[name], source: "file" };
  return { value: undefined, source: "default" };
}

/** Checks what the user gave; says of it that it cannot be, without a secret. */
function checked(
  shown: string,
  name: string,
  given: string | boolean,
): ConfigValue {
  const found = checkValue(name, given);
  if (found.need === undefined) return found.value;
  const text = CONFIG_KEYS[name].isSecret
    ? ""
    : ` ${JSON.stringify(String(given))}`;
  throw new UsageError(`Cannot use ${shown}${text}: ${found.need}`);
}

/** How a store far away is reached, what it may take, and what is kept of it. */
export async function farSettings(
  session: Session,
  scheme: string,
  table?: ConfigTable,
): Promise<{ settings: FarSettings; limits: FarLimits; cache: FarCache }> {
  const get = async <T extends ConfigValue>(
    name: string,
  ): Promise<T | undefined> => {
    const { schemes } = CONFIG_KEYS[name];
    if (schemes !== undefined && !schemes.includes(scheme)) return undefined;
    return (await settingOf(session, name, table)).value as T | undefined;
  };
  const rate = await settingOf(session, "limit-rate", table);
  const pathStyle = await settingOf(session, "path-style", table);
  return {
    limits: {
      bytesPerSecond: rate.value as number | undefined,
      isRateShared: rate.source !== "store",
      requestsMax: await get<number>("jobs"),
    },
    cache: {
      isOff: await get<boolean>("no-cache") ?? false,
      folder: await get<string>("cache-dir"),
      budget: await get<number>("cache-size"),
    },
    settings: {
      endpoint: await get<string>("endpoint"),
      region: await get<string>("region"),
      // The variable stands behind the address: the store reads it itself.
      pathStyle: pathStyle.source === "environment"
        ? undefined
        : pathStyle.value as boolean | undefined,
      profile: await get<string>("profile"),
      anonymous: await get<boolean>("anonymous"),
      singleWriter: await get<boolean>("single-writer"),
      sshCommand: await get<string>("ssh-command"),
      sftpCommand: await get<string>("sftp-command"),
      remoteCommand: await get<string>("remote-command"),
      token: async () => {
        const token = await get<string>("token");
        if (token !== undefined || table === undefined) return token;
        const { findToken } = await import("./find_token.ts");
        return await findToken(session, table);
      },
    },
  };
}
