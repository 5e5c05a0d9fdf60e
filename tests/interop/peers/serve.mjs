// As serve.py, by Node.
import fs from "node:fs";
import https from "node:https";

const servers = [];
for (let at = 2; at < process.argv.length; at += 3) {
  const [cert, key, clients] = process.argv.slice(at, at + 3);
  const options = { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
  if (clients) Object.assign(options, { ca: fs.readFileSync(clients), requestCert: true, rejectUnauthorized: true });
  const server = https.createServer(options, (request, response) => {
    const client = request.socket.getPeerCertificate?.()?.subject?.CN ?? "anyone";
    response.setHeader("Connection", "close");
    response.end(`a page by Node for ${client}\n`);
  });
  servers.push(new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(server.address().port))));
}
console.log(JSON.stringify(await Promise.all(servers)));
process.stdin.resume().on("end", () => process.exit());
