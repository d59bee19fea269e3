// Where Monaco's workers are. The build puts the names in, which hold a hash of the content.

const URLS = {
  json: WORKERS.json,
  graphql: WORKERS.graphql,
};

globalThis.MonacoEnvironment = {
  getWorker(_, label) {
    const url = new URL(URLS[label] ?? WORKERS.editor, import.meta.url);
    return new Worker(url, { type: "module", name: label });
  },
};
