// A client for the client scenarios of the conformance suite, which gives it the server's URL last and the scenario in
// MCP_CONFORMANCE_SCENARIO. With REEVE_PROXY all its traffic goes over that proxy.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { fetch as over, ProxyAgent } from "undici";

const proxy = process.env.REEVE_PROXY ? new ProxyAgent(process.env.REEVE_PROXY) : undefined;
const fetch = proxy ? (url, init) => over(url, { ...init, dispatcher: proxy }) : undefined;

const capabilities = { elicitation: { form: { applyDefaults: true } } };
const client = new Client({ name: "reeve-conformance", version: "1.0.0" }, { capabilities });
client.setRequestHandler(ElicitRequestSchema, async () => ({ action: "accept", content: {} }));
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv.at(-1)), { fetch }));
const { tools } = await client.listTools();
for (const { name } of tools) {
  await client.callTool({ name, arguments: name === "add_numbers" ? { a: 5, b: 3 } : {} });
}
await client.close();
process.exit(0);
