import { openSftpStore } from "@snap/store/sftp";
import type { FarNeed, OpenedStore } from "./opened_store.ts";
import { wordsOf } from "./words_of.ts";

/** Opens `sftp://HOST/PATH`, through the user's own ssh, or another program. */
export async function open(url: string, need: FarNeed): Promise<OpenedStore> {
  const { signal, settings, limiter, meter } = need;
  const { singleWriter, sshCommand, sftpCommand } = settings;
  const store = await openSftpStore(url, {
    env: need.env,
    signal,
    limiter,
    meter,
    ...(singleWriter !== undefined && { singleWriter }),
    ...(sshCommand !== undefined && { ssh: wordsOf(sshCommand) }),
    ...(sftpCommand !== undefined && { command: wordsOf(sftpCommand) }),
  });
  if (!store.isDurable) {
    need.detail(
      `${store.location} cannot make files durable: what was just saved may be lost with the power there`,
    );
  }
  return {
    store,
    location: store.location,
    meter,
    probe: (options) => store.probe(options),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
