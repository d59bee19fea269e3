import type { CodegenConfig } from "@graphql-codegen/cli";

// Types for each operation, and persisted-documents.json: what a server with `documents.files`
// trusts, by its hash.
export default {
  schema: process.env.ROLLGRAPH_SCHEMA ?? "../../schema/schema.graphql",
  documents: "src/*.tsx",
  generates: {
    "src/__generated__/": {
      preset: "client",
      presetConfig: { persistedDocuments: { hashAlgorithm: "sha256" } },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        defaultScalarType: "unknown",
        scalars: { DateTime: "string", Duration: "string", Percent: "number" },
      },
    },
  },
} satisfies CodegenConfig;
