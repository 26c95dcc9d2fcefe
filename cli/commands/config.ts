import {
  type ConfigFile,
  configOf,
  type ConfigTable,
} from "../config/config_file.ts";
import { CONFIG_KEYS, type ConfigValue } from "../config/config_keys.ts";
import { type Setting, settingOf } from "../config/settings.ts";
import { ExitCode } from "../exit_code.ts";
import type { Session } from "../session.ts";
import { withoutPassword } from "../stores/store_address.ts";
import { formatTable } from "../terminal/table.ts";

/** A line of what holds. */
interface Row {
  readonly name: string;
  readonly value: string;
  readonly source: string;
}

/** `snap config` */
export async function run(session: Session): Promise<number> {
  const config = await configOf(session);
  const { path, isThere, stores, policies } = config;
  const rows: Row[] = [{
    name: "configuration",
    value: path ?? "",
    source: isThere ? "file" : "absent",
  }];
  for (const [name, { where }] of Object.entries(CONFIG_KEYS)) {
    if (where !== "store") rows.push(await topRow(session, config, name));
  }
  for (const [name, { where, variable }] of Object.entries(CONFIG_KEYS)) {
    if (where !== "store" || variable === undefined) continue;
    const { value, source } = await settingOf(session, name);
    if (source !== "environment") continue;
    rows.push({ name, value: shown(name, value), source: variable });
  }
  for (const [name, table] of stores) rows.push(...rowsOf(name, table));
  for (const [name, table] of policies) {
    const place = name === "" ? "policy" : `policies.${name}`;
    for (const [key, value] of Object.entries(table)) {
      const text = [value].flat().join(" ");
      rows.push({ name: `${place}.${key}`, value: text, source: "file" });
    }
  }
  await tell(session, rows);
  return ExitCode.done;
}

async function topRow(
  session: Session,
  { path }: ConfigFile,
  name: string,
): Promise<Row> {
  const setting = await settingOf(session, name);
  if (setting.value !== undefined || name !== "store") {
    const value = shown(name, setting.value);
    return { name, value, source: sourceOf(name, setting, path) };
  }
  const { locateStore } = await import("../stores/locate_store.ts");
  const { place, source } = await locateStore(session);
  const value = place.kind === "folder" ? place.path : place.url;
  return {
    name,
    value: withoutPassword(value),
    source: source === "directory" ? "found above the folder" : "default",
  };
}

function sourceOf(
  name: string,
  { source }: Setting,
  path: string | undefined,
): string {
  const { option, variable } = CONFIG_KEYS[name];
  switch (source) {
    case "option":
      return `--${option}`;
    case "environment":
      return variable!;
    case "default":
      return "default";
    default:
      return path!;
  }
}

/** The lines of one store: as its table says, which a variable may go before. */
function rowsOf(name: string, table: ConfigTable): Row[] {
  return Object.entries(table).map(([key, value]) => ({
    name: `stores.${name}.${key}`,
    value: shown(key, value),
    source: "file",
  }));
}

/** A value for people: no secret, no password. */
function shown(name: string, value: ConfigValue | undefined): string {
  if (value === undefined) return "";
  if (CONFIG_KEYS[name].isSecret) return "(not shown)";
  return withoutPassword(String(value));
}

async function tell(session: Session, rows: readonly Row[]): Promise<void> {
  if (session.isJson) {
    for (const row of rows) {
      await session.result("", { type: "setting", ...row });
    }
    return;
  }
  const { isForPeople } = session;
  const columns = ["setting", "value", "from"].map((title) => ({ title }));
  const texts = rows.map(({ name, value, source }) => [name, value, source]);
  for (const line of formatTable(columns, texts, { isForPeople })) {
    await session.raw(`${line}\n`);
  }
}
