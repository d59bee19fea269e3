import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { Provider } from "urql";

import { client } from "./client";
import type { Key } from "./Fleet";
import { Fleet } from "./Fleet";
import { Progress } from "./Progress";
import "./page.css";

function Page() {
  const [chosen, choose] = useState<Key>();
  return (
    <>
      <Fleet chosen={chosen} choose={choose} />
      {chosen && <Progress key={Object.values(chosen).join("/")} rollout={chosen} />}
    </>
  );
}

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <Provider value={client}>
      <Page />
    </Provider>
  </StrictMode>,
);
