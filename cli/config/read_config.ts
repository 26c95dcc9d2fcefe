import { open } from "node:fs/promises";
import { parse, type TomlError } from "smol-toml";
import { CommandError } from "../command_error.ts";
import { nearest } from "../arguments/nearest.ts";
import type { Session } from "../session.ts";
import type { UsageError } from "../arguments/usage_error.ts";
import {
  parseRules,
  RetentionRuleError,
  RULE_NAMES,
} from "@snap/maintenance/forget";
import type { ConfigFile, ConfigTable, PolicyTable } from "./config_file.ts";
import {
  CONFIG_KEYS,
  type ConfigKey,
  type ConfigValue,
} from "./config_keys.ts";
import { parseAddress, type StoreAddress } from "../stores/store_address.ts";
import { checkValue } from "./config_values.ts";

/** The largest file that is read, in bytes. */
const FILE_SIZE_MAX = 1 << 20;
/** A word of a command line that is no address, no path and no option. */
const STORE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** A table as it was parsed. */
type Parsed = Readonly<Record<string, unknown>>;

/**
 * Reads the configuration, and checks all of it.
 *
 * @throws {CommandError} If it cannot be read, or something in it is not known; the message names the line.
 */
export async function readConfig(
  session: Session,
  path: string,
): Promise<ConfigFile> {
  const { text, isOpen } = await readText(path);
  const file = new Checker(path, text);
  const config = file.check();
  const hasSecret = [...config.stores.values()].some((table) =>
    Object.keys(table).some((key) => CONFIG_KEYS[key].isSecret)
  );
  if (hasSecret && isOpen) {
    session.warn(
      `Others of this machine may read the tokens in ${path}: chmod 600 ends that`,
    );
  }
  return config;
}

async function readText(
  path: string,
): Promise<{ text: string; isOpen: boolean }> {
  try {
    const file = await open(path, "r");
    try {
      const { size, mode } = await file.stat();
      if (size > FILE_SIZE_MAX) {
        throw new CommandError(
          `Cannot read configuration ${path}: it has more than 1 MiB`,
        );
      }
      const text = await file.readFile("utf8");
      return { text, isOpen: (mode & 0o077) !== 0 };
    } finally {
      await file.close();
    }
  } catch (cause) {
    const { name, code } = cause as Error & { code?: string };
    if (name === "NotCapable" || code === undefined) throw cause;
    throw new CommandError(
      `Cannot read configuration ${path}: ${
        code === "ENOENT" ? "there is no such file" : code
      }`,
    );
  }
}

/** Checks one file. */
class Checker {
  readonly #path: string;
  readonly #text: string;

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  check(): ConfigFile {
    let root: Parsed;
    try {
      root = parse(this.#text);
    } catch (cause) {
      const { line, message } = cause as TomlError;
      // The rest of the message shows the line, which may have a secret.
      const [first] = message.split("\n");
      throw this.#error(line, first.replace("Invalid TOML document: ", ""));
    }
    const { stores = {}, policy, policies = {}, ...rest } = root;
    if (!isTable(stores)) throw this.#at(["stores"], "it is no table");
    if (!isTable(policies)) throw this.#at(["policies"], "it is no table");
    const top = this.#table([], rest, (key) => key.where !== "store");
    const tables = new Map<string, ConfigTable>();
    for (const [name, table] of Object.entries(stores)) {
      if (!STORE_NAME.test(name)) {
        throw this.#at(
          ["stores", name],
          "the name of a store is letters, digits, . _ and -",
        );
      }
      if (!isTable(table)) throw this.#at(["stores", name], "it is no table");
      tables.set(name, this.#store(name, table));
    }
    const rules = new Map<string, PolicyTable>();
    if (policy !== undefined) rules.set("", this.#policy(["policy"], policy));
    for (const [name, one] of Object.entries(policies)) {
      rules.set(name, this.#policy(["policies", name], one));
    }
    const path = this.#path;
    return { path, isThere: true, top, stores: tables, policies: rules };
  }

  #policy(path: readonly string[], parsed: unknown): PolicyTable {
    if (!isTable(parsed)) throw this.#at(path, "it is no table");
    try {
      parseRules(parsed);
    } catch (error) {
      if (!(error instanceof RetentionRuleError)) throw error;
      const { rule, reason } = error;
      const near = nearest(rule, RULE_NAMES);
      const isUnknown = !RULE_NAMES.includes(rule);
      const hint = near !== undefined && isUnknown
        ? `did you mean ${near}?`
        : undefined;
      throw this.#at([...path, rule], reason, hint);
    }
    return parsed as PolicyTable;
  }

  #store(name: string, parsed: Parsed): ConfigTable {
    const path = ["stores", name];
    const table = this.#table(path, parsed, (key) => key.where !== "top");
    if (table.url === undefined) throw this.#at(path, "it has no url");
    const scheme = this.#schemeOf([...path, "url"], String(table.url));
    for (const key of Object.keys(table)) {
      if (key === "url") continue;
      const { schemes } = CONFIG_KEYS[key];
      const isFit = scheme !== undefined &&
        (schemes === undefined || schemes.includes(scheme));
      if (isFit) continue;
      const need = schemes?.map((one) => `${one}://`).join(" and ") ??
        "stores far away";
      throw this.#at([...path, key], `only ${need} can have it`);
    }
    const tokens = Object.keys(table).filter((key) => key.startsWith("token"));
    if (tokens.length > 1) {
      throw this.#at(
        [...path, tokens[1]],
        `there is ${tokens[0]} already`,
      );
    }
    return table;
  }

  #table(
    path: readonly string[],
    parsed: Parsed,
    isFit: (key: ConfigKey) => boolean,
  ): ConfigTable {
    const table: Record<string, ConfigValue> = {};
    for (const [name, value] of Object.entries(parsed)) {
      const key = Object.hasOwn(CONFIG_KEYS, name)
        ? CONFIG_KEYS[name]
        : undefined;
      if (key === undefined || !isFit(key)) {
        throw this.#unknown([...path, name], isFit);
      }
      const found = checkValue(name, value);
      if (found.need !== undefined) throw this.#at([...path, name], found.need);
      table[name] = found.value;
    }
    return table;
  }

  #unknown(
    path: readonly string[],
    isFit: (key: ConfigKey) => boolean,
  ): CommandError {
    const names = Object.keys(CONFIG_KEYS)
      .filter((name) => isFit(CONFIG_KEYS[name]));
    const near = nearest(path.at(-1)!, names);
    return this.#at(
      path,
      "there is no such key",
      near === undefined
        ? `there are ${names.join(", ")}`
        : `did you mean ${near}?`,
    );
  }

  /** The scheme of a store; none for a folder, whose path has to mean the same everywhere. */
  #schemeOf(path: readonly string[], url: string): string | undefined {
    let address: StoreAddress;
    try {
      address = parseAddress(url);
    } catch (error) {
      const { message, hint } = error as UsageError;
      throw this.#at(path, message, hint);
    }
    if (address.kind === "far") return address.scheme;
    if (/^(\/|~\/)/.test(url)) return undefined;
    throw this.#at(path, "the path of a folder begins with / or ~/");
  }

  #at(path: readonly string[], reason: string, hint?: string): CommandError {
    const line = lineOf(this.#text, path);
    return this.#error(line, `${path.join(".")}: ${reason}`, hint);
  }

  #error(line: number, reason: string, hint?: string): CommandError {
    return new CommandError(
      `Cannot use configuration ${this.#path}, line ${line}: ${reason}`,
      hint,
    );
  }
}

/** The line where a key stands: the first with which the lines up to it have the key. */
export function lineOf(text: string, path: readonly string[]): number {
  const lines = text.split("\n");
  for (let count = 1; count <= lines.length; count++) {
    try {
      let at: unknown = parse(lines.slice(0, count).join("\n"));
      for (const name of path) at = (at as Parsed)[name];
      if (at !== undefined) return count;
    } catch {
      // What goes over several lines is not whole yet, or a table not begun.
    }
  }
  return lines.length;
}

function isTable(value: unknown): value is Parsed {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof Date);
}
