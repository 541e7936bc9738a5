/**
 * Build the receiver: one HTML file with everything in it. `--tests` bundles the tests instead.
 *
 * The worker's program travels as text inside the page's script, which makes a blob of it. The
 * policy (CSP) names the script and the style by their hashes.
 */

import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

const OUT = process.argv[2] ?? "../src/stegfield/receiver/page.html";
const PACKAGES = ["@noble/ciphers", "@noble/hashes", "fflate"];
const COMMON = { bundle: true, write: false, minify: true, target: "es2022", legalComments: "none" };

function hashOf(text) {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** Return a script that may stand between tags. */
function inline(script) {
  return script.trim().replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");
}

async function bundled(entry, options = {}) {
  const result = await build({ ...COMMON, entryPoints: [entry], ...options });
  return inline(result.outputFiles[0].text);
}

function notices() {
  const own = readFileSync("../NOTICE", "utf8").split("\n\n")[0];
  const others = PACKAGES.map((name) => {
    const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
    const text = readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim();
    return `${name} ${version}\n\n${text}`;
  });
  return [own, ...others].join("\n\n\n").replaceAll("<", "&lt;");
}

async function page() {
  const worker = await bundled("src/worker.ts", { format: "iife" });
  const script = await bundled("src/page.ts", {
    format: "iife",
    define: { WORKER_SOURCE: JSON.stringify(worker) },
  });
  const style = (await build({ ...COMMON, entryPoints: ["src/page.css"] })).outputFiles[0].text.trim();
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "img-src blob:",
    "media-src blob:",
    "worker-src blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const parts = { POLICY: policy, STYLE: style, SCRIPT: script, NOTICES: notices() };
  const frame = readFileSync("src/page.html", "utf8");
  writeFileSync(OUT, frame.replace(/%([A-Z]+)%/g, (_, name) => parts[name]));
}

async function tests() {
  const names = readdirSync("test").filter((name) => name.endsWith(".test.ts"));
  await build({
    ...COMMON,
    entryPoints: names.map((name) => `test/${name}`),
    outdir: "build",
    outExtension: { ".js": ".mjs" },
    format: "esm",
    platform: "node",
    minify: false,
    write: true,
  });
}

await (process.argv.includes("--tests") ? tests() : page());
