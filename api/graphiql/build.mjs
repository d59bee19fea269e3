// Bundles GraphiQL: `node build.mjs OUTPUT`. Every file but the page is named by a hash of its
// content and stored compressed only: `NAME-HASH.EXT.gz`.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const PUBLIC = "/static/graphiql/";
const OUTPUT = process.argv[2];
const WORKERS = {
  editor: "monaco-editor/esm/vs/editor/editor.worker.js",
  json: "monaco-editor/esm/vs/language/json/json.worker.js",
  graphql: "monaco-graphql/esm/graphql.worker.js",
};
const COMMON = {
  absWorkingDir: HERE,
  // GraphiQL asks for prettier 2's names, which in a bundle lead to nothing: "Prettify" fails
  // (graphql/graphiql#4092).
  alias: {
    "prettier/parser-babel": "prettier/plugins/babel",
    "prettier/parser-graphql": "prettier/plugins/graphql",
  },
  assetNames: "[name]-[hash]",
  bundle: true,
  chunkNames: "[name]-[hash]",
  define: { "process.env.NODE_ENV": '"production"' },
  entryNames: "[name]-[hash]",
  format: "esm",
  legalComments: "none", // licenses.txt has the whole texts
  loader: { ".graphql": "text", ".svg": "file", ".ttf": "file" },
  logLevel: "warning",
  metafile: true,
  minify: true,
  outdir: HERE,
  publicPath: PUBLIC,
  target: ["chrome120", "firefox121", "safari17"],
  write: false,
};

/** The output whose entry point ends so, as a name without folders. */
function output(result, entry) {
  const found = Object.entries(result.metafile.outputs).find(([, { entryPoint }]) =>
    entryPoint?.endsWith(entry),
  );
  return found[0];
}

/** The licence texts of all packages of which something is in the bundles. */
function licences(results) {
  const inputs = results.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const folders = inputs.map((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]);
  return [...new Set(folders)].filter(Boolean).sort().map(licence).join("\n\n");
}

function licence(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(HERE, folder, "package.json")));
  const file = readdirSync(join(HERE, folder)).find((entry) => /^licen[sc]e/i.test(entry));
  const text = file ? readFileSync(join(HERE, folder, file), "utf8").trim() : "";
  return `${"=".repeat(80)}\n${name} ${version} (${license})\n\n${text}\n`;
}

const workers = await build({ ...COMMON, entryPoints: Object.values(WORKERS) });
const names = Object.fromEntries(
  Object.entries(WORKERS).map(([label, entry]) => [label, output(workers, entry)]),
);
const app = await build({
  ...COMMON,
  define: { ...COMMON.define, WORKERS: JSON.stringify(names) },
  entryPoints: ["src/main.jsx"],
  jsx: "automatic",
  splitting: true,
});

mkdirSync(OUTPUT, { recursive: true });
for (const { path, contents } of [...workers.outputFiles, ...app.outputFiles]) {
  writeFileSync(join(OUTPUT, `${relative(HERE, path)}.gz`), gzipSync(contents, { level: 9 }));
}
const script = output(app, "src/main.jsx");
const links = {
  icon: app.outputFiles.map(({ path }) => relative(HERE, path)).find((p) => extname(p) === ".svg"),
  script,
  style: relative(HERE, join(HERE, app.metafile.outputs[script].cssBundle)),
};
const page = readFileSync(join(HERE, "src/index.html"), "utf8");
writeFileSync(
  join(OUTPUT, "index.html"),
  page.replace(/%(\w+)%/g, (_, link) => PUBLIC + links[link]),
);
writeFileSync(join(OUTPUT, "licenses.txt"), licences([workers, app]));
