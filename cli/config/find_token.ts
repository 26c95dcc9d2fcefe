import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { CommandError } from "../command_error.ts";
import type { Session } from "../session.ts";
import type { ConfigTable } from "./config_file.ts";
import { expandHome } from "./expand_home.ts";

/** How long a command may take that prints a token, in milliseconds. */
const COMMAND_MS = 60_000;

/**
 * Gets the token that a store's configuration leads to: from a file, or from a command.
 *
 * @throws {CommandError} If there is none where it leads.
 */
export async function findToken(
  session: Session,
  table: ConfigTable,
): Promise<string | undefined> {
  const { "token-file": file, "token-command": command } = table;
  if (file !== undefined) return await tokenOfFile(session, String(file));
  if (command === undefined) return undefined;
  return await tokenOfCommand(session, String(command));
}

async function tokenOfFile(session: Session, name: string): Promise<string> {
  const path = expandHome(session, name);
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) {
      session.warn(
        `Others of this machine may read the token in ${path}: chmod 600 ends that`,
      );
    }
    return tokenIn(await readFile(path, "utf8"), path);
  } catch (cause) {
    const { name, code } = cause as Error & { code?: string };
    if (name === "NotCapable" || code === undefined) throw cause;
    throw new CommandError(
      `Cannot read the token in ${path}: ${
        code === "ENOENT" ? "there is no such file" : code
      }`,
    );
  }
}

async function tokenOfCommand(
  { signal }: Session,
  command: string,
): Promise<string> {
  const shown = JSON.stringify(command);
  const output = await new Promise<string>((resolve, reject) => {
    const options = { signal, timeout: COMMAND_MS };
    execFile("sh", ["-c", command], options, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const [said] = stderr.trim().split("\n").slice(-1);
      const reason = error.killed
        ? `it took longer than ${COMMAND_MS / 1000} s`
        : said || `it ended with ${error.code}`;
      reject(
        signal.aborted ? signal.reason : new CommandError(
          `Cannot get a token from command ${shown}: ${reason}`,
        ),
      );
    });
  });
  return tokenIn(output, `command ${shown}`);
}

/** The first line of a text, which is what a token is. */
function tokenIn(text: string, where: string): string {
  const [token] = text.trim().split(/\r?\n/);
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new CommandError(
    `Cannot use the token of ${where}: a token is visible ASCII characters in one line`,
  );
}
