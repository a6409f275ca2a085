// Lists the tools of a server once, so that a person can look at them.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const client = new Client({ name: "reeve-conformance", version: "1.0.0" }, { capabilities: {} });
await client.connect(new StreamableHTTPClientTransport(new URL(process.argv.at(-1))));
await client.listTools();
await client.close();
process.exit(0);
