// A server that has everything the conformance suite asks for. `--http` listens on a free port of loopback and prints it;
// without it the server speaks over its standard input and output.
import { randomUUID } from "node:crypto";
import http from "node:http";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import * as types from "@modelcontextprotocol/sdk/types.js";

// One red pixel, and silence.
const IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const AUDIO = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=";

const text = (words) => ({ type: "text", text: words });
const image = { type: "image", data: IMAGE, mimeType: "image/png" };
const resource = (uri, mimeType, words) => ({ type: "resource", resource: { uri, mimeType, text: words } });
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const nothing = { type: "object", properties: {} };

const DEFAULTS = {
  type: "object",
  properties: {
    name: { type: "string", description: "User name", default: "John Doe" },
    age: { type: "integer", description: "User age", default: 30 },
    score: { type: "number", description: "User score", default: 95.5 },
    status: { type: "string", description: "User status", enum: ["active", "inactive", "pending"], default: "active" },
    verified: { type: "boolean", description: "Verification status", default: true },
  },
  required: [],
};

const three = (stem) => [1, 2, 3].map((n) => `${stem}${n}`);
const titled = (...names) => names.map((title, at) => ({ const: `value${at + 1}`, title }));
const CHOICES = {
  type: "object",
  properties: {
    untitledSingle: { type: "string", description: "One option", enum: three("option") },
    titledSingle: { type: "string", description: "One titled option", oneOf: titled("First", "Second", "Third") },
    legacyEnum: { type: "string", description: "The old way", enum: three("opt"), enumNames: ["One", "Two", "Three"] },
    untitledMulti: { type: "array", minItems: 1, maxItems: 3, items: { type: "string", enum: three("option") } },
    titledMulti: { type: "array", minItems: 1, maxItems: 3, items: { anyOf: titled("First", "Second", "Third") } },
  },
  required: [],
};

const SCHEMA_2020 = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: { address: { type: "object", properties: { street: { type: "string" }, city: { type: "string" } } } },
  properties: { name: { type: "string" }, address: { $ref: "#/$defs/address" } },
  additionalProperties: false,
};

const elicited = (schema, message) => async (_args, extra) => {
  const params = { message, requestedSchema: schema };
  const answer = await extra.sendRequest({ method: "elicitation/create", params }, types.ElicitResultSchema);
  return [text(`Elicitation completed: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`)];
};

// Each tool: description, input schema, and what it does.
const TOOLS = {
  test_simple_text: ["Text", nothing, () => [text("This is a simple text response for testing.")]],
  test_image_content: ["An image", nothing, () => [image]],
  test_audio_content: ["Sound", nothing, () => [{ type: "audio", data: AUDIO, mimeType: "audio/wav" }]],
  test_embedded_resource: [
    "A resource",
    nothing,
    () => [resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")],
  ],
  test_multiple_content_types: [
    "Several kinds of content",
    nothing,
    () => [
      text("Multiple content types test:"),
      image,
      resource("test://mixed-content-resource", "application/json", JSON.stringify({ test: "data", value: 123 })),
    ],
  ],
  test_tool_with_logging: [
    "Logs while it runs",
    nothing,
    async (_args, extra) => {
      for (const data of ["Tool execution started", "Tool processing data", "Tool execution completed"]) {
        await extra.sendNotification({ method: "notifications/message", params: { level: "info", data } });
        await sleep(50);
      }
      return [text("Tool with logging executed successfully")];
    },
  ],
  test_tool_with_progress: [
    "Tells how far it is",
    nothing,
    async (_args, extra) => {
      const progressToken = extra._meta?.progressToken ?? 0;
      for (const progress of [0, 50, 100]) {
        const params = { progressToken, progress, total: 100, message: `Completed step ${progress} of 100` };
        await extra.sendNotification({ method: "notifications/progress", params });
        await sleep(50);
      }
      return [text(String(progressToken))];
    },
  ],
  test_error_handling: [
    "Fails",
    nothing,
    () => {
      throw new Error("This tool intentionally returns an error for testing");
    },
  ],
  test_reconnection: [
    "Closes its stream and answers on the next",
    nothing,
    async (_args, extra) => {
      extra.closeSSEStream?.();
      await sleep(100);
      return [text("Reconnection test completed successfully.")];
    },
  ],
  test_sampling: [
    "Asks the client's model",
    { type: "object", properties: { prompt: { type: "string" } }, required: ["prompt"] },
    async (args, extra) => {
      const params = { messages: [{ role: "user", content: text(args.prompt) }], maxTokens: 100 };
      const ask = { method: "sampling/createMessage", params };
      const answer = await extra.sendRequest(ask, types.CreateMessageResultSchema);
      return [text(`LLM response: ${answer.content.text}`)];
    },
  ],
  test_elicitation: [
    "Asks the client's user",
    { type: "object", properties: { message: { type: "string" } }, required: ["message"] },
    async (args, extra) => {
      const schema = { type: "object", properties: { response: { type: "string" } }, required: ["response"] };
      const params = { message: args.message, requestedSchema: schema };
      const answer = await extra.sendRequest({ method: "elicitation/create", params }, types.ElicitResultSchema);
      return [text(`User response: action=${answer.action}, content=${JSON.stringify(answer.content ?? {})}`)];
    },
  ],
  test_elicitation_sep1034_defaults: ["Asks with defaults", nothing, elicited(DEFAULTS, "Please review the fields")],
  test_elicitation_sep1330_enums: ["Asks with choices", nothing, elicited(CHOICES, "Please select options")],
  json_schema_2020_12_tool: [
    "Has a schema of 2020-12",
    SCHEMA_2020,
    (args) => [text(`JSON Schema 2020-12 tool called with: ${JSON.stringify(args)}`)],
  ],
};

const RESOURCES = {
  "test://static-text": { mimeType: "text/plain", text: "This is the content of the static text resource." },
  "test://static-binary": { mimeType: "image/png", blob: IMAGE },
  "test://watched-resource": { mimeType: "text/plain", text: "Watched resource content" },
};

const said = (content) => ({ role: "user", content });
const PROMPTS = {
  test_simple_prompt: [[], () => [said(text("This is a simple prompt for testing."))]],
  test_prompt_with_arguments: [
    ["arg1", "arg2"],
    (args) => [said(text(`Prompt with arguments: arg1='${args.arg1}', arg2='${args.arg2}'`))],
  ],
  test_prompt_with_embedded_resource: [
    ["resourceUri"],
    (args) => [
      said(resource(args.resourceUri, "text/plain", "Embedded resource content for testing.")),
      said(text("Please process the embedded resource above.")),
    ],
  ],
  test_prompt_with_image: [[], () => [said(image), said(text("Please analyze the image above."))]],
};

function read(uri) {
  const known = RESOURCES[uri];
  if (known) return { uri, ...known };
  const id = /^test:\/\/template\/([^/]+)\/data$/.exec(uri)?.[1];
  if (!id) throw new types.McpError(-32002, `Resource not found: ${uri}`);
  const words = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
  return { uri, mimeType: "application/json", text: words };
}

function everything() {
  const capabilities = {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    logging: {},
    completions: {},
  };
  const server = new Server({ name: "everything", version: "1.0.0" }, { capabilities });
  const on = (schema, answer) => server.setRequestHandler(schema, answer);
  on(types.ListToolsRequestSchema, () => ({
    tools: Object.entries(TOOLS).map(([name, [description, inputSchema]]) => ({ name, description, inputSchema })),
  }));
  on(types.CallToolRequestSchema, async ({ params }, extra) => {
    const tool = TOOLS[params.name];
    if (!tool) throw new types.McpError(types.ErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
    try {
      return { content: await tool[2](params.arguments ?? {}, extra) };
    } catch (error) {
      return { content: [text(error.message)], isError: true };
    }
  });
  on(types.ListResourcesRequestSchema, () => ({
    resources: Object.entries(RESOURCES).map(([uri, { mimeType }]) => ({ uri, name: uri, mimeType })),
  }));
  on(types.ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: "test://template/{id}/data", name: "template", mimeType: "application/json" }],
  }));
  on(types.ReadResourceRequestSchema, ({ params }) => ({ contents: [read(params.uri)] }));
  on(types.SubscribeRequestSchema, () => ({}));
  on(types.UnsubscribeRequestSchema, () => ({}));
  on(types.ListPromptsRequestSchema, () => ({
    prompts: Object.entries(PROMPTS).map(([name, [names]]) => ({
      name,
      description: "A prompt for testing",
      arguments: names.map((one) => ({ name: one, description: "For testing", required: true })),
    })),
  }));
  on(types.GetPromptRequestSchema, ({ params }) => ({ messages: PROMPTS[params.name][1](params.arguments ?? {}) }));
  on(types.SetLevelRequestSchema, () => ({}));
  on(types.CompleteRequestSchema, () => ({ completion: { values: [], total: 0, hasMore: false } }));
  return server;
}

/** Keeps the events of streams, so that a client can take them up again. */
class Events {
  #all = [];

  async storeEvent(streamId, message) {
    const id = `${streamId}_${this.#all.length}`;
    this.#all.push({ id, streamId, message });
    return id;
  }

  async getStreamIdForEventId(id) {
    return this.#all.find((one) => one.id === id)?.streamId;
  }

  async replayEventsAfter(last, { send }) {
    const at = this.#all.findIndex((one) => one.id === last);
    const streamId = this.#all[at]?.streamId ?? "";
    for (const one of this.#all.slice(at + 1)) {
      // What primes a stream has nothing to say.
      if (one.streamId === streamId && one.message.jsonrpc) await send(one.id, one.message);
    }
    return streamId;
  }
}

function refuse(response, status, message) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ jsonrpc: "2.0", error: { code: -32000, message }, id: null }));
}

async function body(request) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  return pieces.length === 0 ? undefined : JSON.parse(Buffer.concat(pieces).toString());
}

function listen() {
  const sessions = new Map();
  const listener = http.createServer(async (request, response) => {
    const { port } = listener.address();
    const names = ["localhost", "127.0.0.1", "[::1]"];
    const local = (value) => names.some((name) => value === `${name}:${port}` || value === `http://${name}:${port}`);
    if (!local(request.headers.host) || (request.headers.origin && !local(request.headers.origin))) {
      return refuse(response, 403, "a foreign host or origin");
    }
    const known = sessions.get(request.headers["mcp-session-id"]);
    const message = request.method === "POST" ? await body(request) : undefined;
    if (known) return known.handleRequest(request, response, message);
    if (request.headers["mcp-session-id"]) return refuse(response, 404, "Session not found");
    if (!types.isInitializeRequest(message)) return refuse(response, 400, "No session");
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new Events(),
      retryInterval: 500,
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    transport.onclose = () => sessions.delete(transport.sessionId);
    await everything().connect(transport);
    await transport.handleRequest(request, response, message);
  });
  // The suite keeps connections and takes them up whenever it likes: one that ends meanwhile would look like a refusal.
  listener.keepAliveTimeout = 600_000;
  listener.listen(0, "127.0.0.1", () => console.log(listener.address().port));
}

if (process.argv.includes("--http")) {
  listen();
} else {
  await everything().connect(new StdioServerTransport());
}
