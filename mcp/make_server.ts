import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  fromJsonSchema,
  inputRequired,
  type InputRequiredResult,
  McpServer,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { Roots } from "./roots/roots.ts";
import type { Call, CallProgress, Service } from "./service.ts";
import { errorText } from "./tool_error.ts";
import { ALL_TOOLS } from "./tools/all_tools.ts";
import type { Tool, ToolAnswer } from "./tools/tool.ts";

/** The least time between two notes of progress, in milliseconds. */
const PROGRESS_MS = 100;
/** The name under which a client gives its roots. */
const ROOTS = "roots";

/** The name of a server and what it serves. */
export interface ServerIdentity {
  /** Its name. */
  readonly name: string;
  /** Its version. */
  readonly version: string;
}

/**
 * Makes a server of MCP with all tools that a service allows. It is not connected yet.
 *
 * @param service What the tools work on.
 * @param identity The name and version that clients see.
 * @returns The server.
 */
export function makeServer(
  service: Service,
  identity: ServerIdentity,
): McpServer {
  const server = new McpServer({ ...identity }, {
    capabilities: { tools: {} },
    instructions: instructionsOf(service),
  });
  const { isReadOnly = false } = service.options;
  for (const tool of ALL_TOOLS) {
    if (tool.writes === undefined || !isReadOnly) {
      register(server, tool, service);
    }
  }
  return server;
}

function instructionsOf({ options }: Service): string {
  const names = options.roots.all.map(({ path }) => path).join(", ");
  return options.isReadOnly
    ? `Reads snapshots of ${names}: list names them, ls, find, read and diff look into them.`
    : `Snapshots of ${names}. save before risky work; diff tells what has changed since; restore brings a snapshot back, and saves what there was first.`;
}

function register(server: McpServer, tool: Tool, service: Service): void {
  const { name, title, description, writes } = tool;
  server.registerTool(name, {
    title,
    description,
    inputSchema: fromJsonSchema<Record<string, unknown>>(tool.input),
    outputSchema: fromJsonSchema<Record<string, unknown>>(tool.output),
    annotations: {
      readOnlyHint: writes === undefined,
      destructiveHint: writes === "directory",
      idempotentHint: writes !== undefined,
      openWorldHint: false,
    },
  }, (args, context) => answer(server, { tool, service, args, context }));
}

async function answer(
  server: McpServer,
  { tool, service, args, context }: {
    readonly tool: Tool;
    readonly service: Service;
    readonly args: Record<string, unknown>;
    readonly context: ServerContext;
  },
): Promise<CallToolResult | InputRequiredResult> {
  const { signal } = context.mcpReq;
  try {
    const roots = await rootsOf(server, service, context);
    if (roots === undefined) {
      return inputRequired({
        inputRequests: { [ROOTS]: { method: "roots/list" } },
      });
    }
    const onProgress = progressOf(context);
    const call: Call = { roots, signal, onProgress };
    return resultOf(await tool.run(service, args, call));
  } catch (error) {
    signal.throwIfAborted();
    return {
      content: [{ type: "text", text: errorText(error) }],
      isError: true,
    };
  }
}

function resultOf({ fields, content }: ToolAnswer): CallToolResult {
  return {
    content: content ?? [{ type: "text", text: JSON.stringify(fields) }],
    structuredContent: fields,
  };
}

/** The roots of a call; nothing where the client has roots and was not asked yet. */
async function rootsOf(
  { server }: McpServer,
  { options }: Service,
  { mcpReq }: ServerContext,
): Promise<Roots | undefined> {
  // A client of a later protocol says with each call what it can.
  const envelope = mcpReq.envelope as
    | { readonly [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities }
    | undefined;
  const { roots: ownRoots } = envelope?.[CLIENT_CAPABILITIES_META_KEY] ??
    server.getClientCapabilities() ?? {};
  if (ownRoots === undefined) return options.roots;
  const given = mcpReq.inputResponses?.[ROOTS] as
    | { readonly roots?: unknown }
    | undefined;
  if (given === undefined) return undefined;
  const roots = Array.isArray(given.roots) ? given.roots : [];
  const uris = roots.map((one) => (one as { uri?: unknown } | null)?.uri)
    .filter((uri) => typeof uri === "string");
  return await options.roots.within(uris);
}

/** Tells a client that asked for it how far a call is. */
function progressOf({ mcpReq }: ServerContext): Call["onProgress"] {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return () => {};
  let lastMs = -Infinity, last = -1;
  return ({ done, total }: CallProgress) => {
    const ms = performance.now();
    // It has to grow with each note.
    if (done <= last || ms - lastMs < PROGRESS_MS) return;
    lastMs = ms;
    last = done;
    const params = { progressToken, progress: done, total };
    mcpReq.notify({ method: "notifications/progress", params }).catch(() => {});
  };
}
