import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page and Rollgraph are one origin to the browser: then cookies work, and nothing of CORS is
// needed. In production the same is done by whatever stands before both.
const target = process.env.ROLLGRAPH_URL ?? "http://127.0.0.1:8000";
// The page's Host goes on: without a login, Rollgraph refuses pages whose origin is another one.
const proxy = { "/graphql": { target, changeOrigin: false } };

export default defineConfig({
  plugins: [react()],
  server: { host: "127.0.0.1", proxy },
  preview: { host: "127.0.0.1", proxy },
});
