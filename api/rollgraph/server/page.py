"""What a browser sees at /graphql where there is no GraphiQL. It loads nothing from anywhere."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Rollgraph</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
  pre { padding: 1rem; overflow-x: auto; border: 1px solid #8888; border-radius: 4px; }
</style>
<h1>Rollgraph</h1>
<p>This is a GraphQL endpoint over the Argo Rollouts of every cluster that this process watches. It
is asked by <code>POST</code> with JSON, or by <code>GET</code>:</p>
<pre>curl --get http://127.0.0.1:8000/graphql --data-urlencode 'query={
  rollouts(first: 10) {
    totalCount
    nodes { cluster { name } namespace name phase message }
  }
}'</pre>
<p>Any GraphQL client can be pointed here. The schema is printed by
<code>rollgraph schema print</code>; <a href="/readyz">/readyz</a> tells which clusters have not
been read yet.</p>
</html>
"""

# GraphiQL is wanted and not there: only in a source tree whose build could not reach npm.
NOT_BUILT = PAGE.replace(
    "</html>",
    "<p>GraphiQL is missing: most likely npm could not be reached when this source tree was "
    "installed. To build it, run <code>uv sync --reinstall-package rollgraph</code> and start "
    "Rollgraph again.</p>\n</html>",
)
