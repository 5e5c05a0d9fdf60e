// For every folder a handshake of Node's client with a server in this process.
import fs from "node:fs";
import net from "node:net";
import tls from "node:tls";

async function ask(folder) {
  const read = (name) => fs.readFileSync(`${folder}/${name}`, "utf8");
  const host = read("host");
  let server;
  try {
    server = tls.createServer({ key: read("key.pem"), cert: read("chain.pem"), ciphers: "DEFAULT:@SECLEVEL=0" });
  } catch (why) {
    return `- ${why.message}`;
  }
  server.on("tlsClientError", () => {});
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address();
  const answer = await new Promise((done) => {
    const servername = net.isIP(host) ? undefined : host;
    let socket;
    try {
      socket = tls.connect({ host: "127.0.0.1", port, servername, ca: read("root.pem") });
    } catch (why) {
      done(`no ${why.message}`);
      return;
    }
    socket.on("secureConnect", () => done("yes"));
    socket.on("error", (why) => done(`no ${why.code} ${why.message}`));
    socket.on("close", () => done("no closed"));
    setTimeout(() => done("no time out"), 20000).unref();
    socket.on("secureConnect", () => socket.destroy());
  });
  server.close();
  return answer.replaceAll("\n", " ");
}

for (const folder of fs.readdirSync(".").filter((name) => /^\d+$/.test(name)).sort()) {
  console.log(folder, await ask(folder));
}
process.exit(0);
