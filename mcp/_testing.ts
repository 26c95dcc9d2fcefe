// What tests of the server share: a root, a store, and a client of the SDK in the same process.
import { Client } from "@modelcontextprotocol/client";
import { InMemoryTransport } from "@modelcontextprotocol/server";
import { equal, match } from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { openSnapshots } from "@snap/snapshot";
import { openFileStore } from "@snap/store/file";
import { makeFileStore, TemporaryFolder } from "../tests/_snapshots.ts";
import { makeServer } from "./make_server.ts";
import { Roots } from "./roots/roots.ts";
import { Service, type ServiceOptions } from "./service.ts";

/** Fields of an answer. */
// deno-lint-ignore no-explicit-any -- tests look at what there is
export type Fields = any;

/** How a {@linkcode McpScene} is made. */
export interface SceneOptions extends Partial<Omit<ServiceOptions, "roots">> {
  /** Roots that the client declares; none if absent. */
  readonly clientRoots?: () => readonly string[];
}

/** A root, a store, and a client that is connected to a server of both. */
export class McpScene implements AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly client: Client;
  readonly service: Service;

  private constructor(
    folder: TemporaryFolder,
    client: Client,
    service: Service,
  ) {
    this.folder = folder;
    this.client = client;
    this.service = service;
  }

  /** Makes a scene, and connects. */
  static async make(
    { clientRoots, ...options }: SceneOptions = {},
  ): Promise<McpScene> {
    const folder = new TemporaryFolder();
    mkdirSync(folder.join("root"));
    await makeFileStore(folder.join("store"));
    const service = new Service({
      open: async () =>
        await openSnapshots(await openFileStore(folder.join("store")), {
          hasher: wasmHasher,
        }).then((snapshots) => ({
          snapshots,
          [Symbol.asyncDispose]: () => snapshots[Symbol.asyncDispose](),
        })),
      roots: await Roots.open([folder.join("root")]),
      host: "here",
      ...options,
    });
    const server = makeServer(service, { name: "snap", version: "0" });
    const [near, far] = InMemoryTransport.createLinkedPair();
    await server.connect(far);
    const client = new Client({ name: "test", version: "0" }, {
      capabilities: clientRoots === undefined ? {} : { roots: {} },
    });
    if (clientRoots !== undefined) {
      client.setRequestHandler("roots/list", () => ({
        roots: clientRoots().map((uri) => ({ uri })),
      }));
    }
    await client.connect(near);
    return new McpScene(folder, client, service);
  }

  /** A path in the root. */
  at(...parts: string[]): string {
    return this.folder.join("root", ...parts);
  }

  /** Calls a tool that has to do what it is asked. */
  async call(
    name: string,
    args: Record<string, unknown> = {},
  ): Promise<Fields> {
    const { isError, content, structuredContent } = await this.client.callTool({
      name,
      arguments: args,
    });
    equal(isError ?? false, false, JSON.stringify(content));
    return structuredContent;
  }

  /** Calls a tool that has to refuse. */
  async refused(
    name: string,
    args: Record<string, unknown>,
    expected: RegExp,
  ): Promise<void> {
    const { isError, content } = await this.client.callTool({
      name,
      arguments: args,
    });
    equal(isError, true, JSON.stringify(content));
    match((content as { text: string }[])[0].text, expected);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.service[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}
