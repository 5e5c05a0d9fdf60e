// As fetch.py, by Node.
import fs from "node:fs";
import https from "node:https";

for (let at = 2; at < process.argv.length; at += 3) {
  const [roots, url, identity] = process.argv.slice(at, at + 3);
  const options = { ca: fs.readFileSync(roots), agent: false, timeout: 20000 };
  if (identity) options.key = options.cert = fs.readFileSync(identity);
  const said = await new Promise((tell) => {
    const request = https.get(url, options, (response) => {
      let page = "";
      response.on("data", (part) => (page += part)).on("end", () => tell(page.trim()));
      response.on("error", (error) => tell(`refused: ${error.code} ${error.message}`));
    });
    request.on("error", (error) => tell(`refused: ${error.code} ${error.message}`));
  });
  console.log(said.replaceAll("\n", " "));
}
