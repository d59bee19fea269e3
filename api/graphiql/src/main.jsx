// The page at /graphql: GraphiQL with our examples, asking the endpoint that served it.

import "./workers.js";
import "graphiql/style.css";
import "./page.css";

import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { examples } from "./examples.js";
import { ask } from "./fetcher.js";
import icon from "./icon.svg";

createRoot(document.getElementById("app")).render(
  <GraphiQL
    fetcher={ask}
    defaultTabs={await examples()}
    defaultQuery=""
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>
      <span className="rollgraph-logo">
        <img src={icon} alt="" width="20" height="20" />
        Rollgraph
      </span>
    </GraphiQL.Logo>
  </GraphiQL>,
);
