import { openPipeStore } from "@snap/store/http";
import {
  type Child,
  parseSshAddress,
  sshCommand,
  startChild,
} from "@snap/store/ssh";
import { RetryStore } from "@snap/store/wrap";
import { CommandError } from "../command_error.ts";
import { COMMAND } from "../product.ts";
import type { FarNeed, OpenedStore } from "./opened_store.ts";
import { wordsOf } from "./words_of.ts";

/** How long ssh may take to end when it was asked to, in milliseconds. */
const END_MS = 5000;

/** Opens `ssh://HOST/PATH`: runs `serve --stdio` there, through the user's own ssh. */
export async function open(url: string, need: FarNeed): Promise<OpenedStore> {
  const { signal, settings, limiter, meter } = need;
  const address = parseSshAddress(url);
  const { location, path } = address;
  const command = sshCommand(
    address,
    {
      words: [
        ...wordsOf(settings.remoteCommand ?? COMMAND),
        "serve",
        "--stdio",
        ...need.isNew ? ["--create"] : [],
        "--",
        path,
      ],
    },
    wordsOf(settings.sshCommand ?? "ssh"),
  );
  need.detail(`Runs ${command.join(" ")}`);
  const again = { onRetry: () => void meter.retries++ };
  let child = await startChild(command, location);
  try {
    const store = await openPipeStore(child.pipe, {
      env: need.env,
      location,
      signal,
      limiter,
      meter,
      retry: again,
      explain: (cause) => explained(child, cause, location),
      reconnect: async () => {
        await child.close(0);
        child = await startChild(command, location);
        return child.pipe;
      },
    });
    return {
      store: new RetryStore(store, again),
      location,
      meter,
      exchange: store.exchange.bind(store),
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await child.close(END_MS);
      },
    };
  } catch (error) {
    await child.close(0);
    throw error;
  }
}

/** The failure as the other side tells it, which knows better. */
async function explained(
  child: Child,
  cause: unknown,
  location: string,
): Promise<Error> {
  const { message } = cause as Error;
  if (!/must begin with \S+: found "/.test(message)) {
    const error = await child.explain(cause);
    // This program says there what is wrong, and what to do.
    const [, said, hint] =
      /: (Cannot .*?)(?:; hint: (.*))? \([A-Z]+\)$/.exec(error.message) ?? [];
    if (said === undefined) return error;
    return new CommandError(
      `Cannot open ${location}, which says: ${said}`,
      hint,
    );
  }
  return new CommandError(
    message,
    "what the shell there prints at login has to go to stderr, or to terminals only",
  );
}
