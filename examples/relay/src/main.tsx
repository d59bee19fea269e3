import { StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { RelayEnvironmentProvider } from "react-relay";

import { environment } from "./environment";
import { Rollouts } from "./Rollouts";

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <RelayEnvironmentProvider environment={environment}>
      <Suspense fallback="…">
        <Rollouts />
      </Suspense>
    </RelayEnvironmentProvider>
  </StrictMode>,
);
