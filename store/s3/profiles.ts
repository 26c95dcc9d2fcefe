import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Fields of one profile in the files of the AWS tools. Keys in lower case. */
export type Profile = ReadonlyMap<string, string>;

/**
 * Reads a profile from `~/.aws/credentials` and `~/.aws/config`; what the first
 * says holds.
 *
 * @returns Undefined if neither file knows the profile.
 */
export async function readProfile(
  name: string,
  env: Environment,
): Promise<Profile | undefined> {
  const folder = join(env.HOME ?? homedir(), ".aws");
  const config = env.AWS_CONFIG_FILE || join(folder, "config");
  const shared = env.AWS_SHARED_CREDENTIALS_FILE || join(folder, "credentials");
  const [general, secret] = await Promise.all([config, shared].map(readText));
  const found = [
    parseIni(general).get(name === "default" ? name : `profile ${name}`),
    parseIni(secret).get(name),
  ].filter((one) => one !== undefined);
  if (found.length === 0) return undefined;
  return new Map(found.flatMap((one) => [...one]));
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return "";
    throw error;
  }
}

/** Sections of an INI file. An indented line belongs to the key above it: `s3.addressing_style`. */
function parseIni(text: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let section = new Map<string, string>();
  let above = "";
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const title = /^\[\s*(.*?)\s*\]/.exec(line);
    if (title !== null) {
      const name = title[1].replace(/^profile\s+/, "profile ");
      section = sections.get(name) ?? new Map();
      sections.set(name, section);
      continue;
    }
    const at = line.indexOf("=");
    if (at < 0) continue;
    const key = line.slice(0, at).trim().toLowerCase();
    const value = line.slice(at + 1).replace(/\s[#;].*$/, "").trim();
    const isNested = /^\s/.test(line) && above !== "";
    section.set(isNested ? `${above}.${key}` : key, value);
    if (!isNested) above = key;
  }
  return sections;
}
