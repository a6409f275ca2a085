// Stands before an endpoint that wants a token, for clients that send none: everything passes as it is, with one header more.
// The token is in REEVE_MCP_TOKEN; the port is printed.
import http from "node:http";

const target = new URL(process.argv[2]);
const own = () => listener.address().port;

const listener = http.createServer((request, response) => {
  const headers = { ...request.headers, authorization: `Bearer ${process.env.REEVE_MCP_TOKEN}` };
  // Who asks for this place asks for that one; a foreign name stays foreign.
  if (/^(localhost|127\.0\.0\.1|\[::1\]):\d+$/.test(headers.host ?? "") && headers.host.endsWith(`:${own()}`)) {
    headers.host = target.host;
  }
  const onward = http.request(
    { host: target.hostname, port: target.port, path: target.pathname, method: request.method, headers },
    (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on("error", () => response.destroy());
  response.on("close", () => onward.destroy());
  request.pipe(onward);
});
// As the server does: a connection must not end between two scenarios.
listener.keepAliveTimeout = 600_000;
listener.listen(0, "127.0.0.1", () => console.log(own()));
