import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { CommandError } from "../command_error.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../arguments/usage_error.ts";

/** A certificate and its key. */
export interface Tls {
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads the certificate of a server and its key.
 *
 * @throws {CommandError} If they cannot be read, or do not belong together.
 */
export async function readTls(session: Session): Promise<Tls | undefined> {
  const { args } = session;
  const names = [args.text("tls-cert"), args.text("tls-key")];
  if (names.every((name) => name === undefined)) return undefined;
  if (names.some((name) => name === undefined)) {
    throw new UsageError(
      "Cannot use one of --tls-cert and --tls-key without the other",
    );
  }
  const [cert, key] = await Promise.all(names.map(async (name) => {
    const path = await resolvePath(session, name!);
    try {
      return await readFile(path, "utf8");
    } catch (cause) {
      if ((cause as Error).name === "NotCapable") throw cause;
      throw new CommandError(
        `Cannot read ${path}: ${(cause as { code?: string }).code ?? cause}`,
      );
    }
  }));
  checkPair(cert, key);
  return { cert, key };
}

/** Deno takes whatever it is given, and then answers nobody. */
function checkPair(cert: string, key: string): void {
  let belong: boolean;
  try {
    const certificate = new X509Certificate(cert);
    belong = certificate.checkPrivateKey(createPrivateKey(key));
  } catch (cause) {
    throw new CommandError(
      `Cannot use the certificate and its key: ${(cause as Error).message}`,
      "both are files in PEM, the key without a password",
    );
  }
  if (belong) return;
  throw new CommandError(
    "Cannot use the certificate and its key: the key is of another certificate",
  );
}
