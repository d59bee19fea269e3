// The page at /graphql: GraphiQL with our examples, asking the endpoint that served it.

import "./workers.js";
import "graphiql/style.css";
import "./page.css";

import { GraphiQL } from "graphiql";
import { createRoot } from "react-dom/client";

import { examples } from "./examples.js";
import { ask } from "./fetcher.js";
import icon from "./icon.svg";
import { Welcome, Who } from "./Login.jsx";
import { meet } from "./session.js";

const { login, viewer } = await meet();
const page = createRoot(document.getElementById("app"));

if (login && !viewer) page.render(<Welcome />);
else page.render(<Editor tabs={await examples()} />);

function Editor({ tabs }) {
  return (
    <GraphiQL
      fetcher={ask}
      defaultTabs={tabs}
      defaultQuery=""
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>
        <span className="rollgraph-logo">
          <img src={icon} alt="" width="20" height="20" />
          Rollgraph
          <Who />
        </span>
      </GraphiQL.Logo>
    </GraphiQL>
  );
}
