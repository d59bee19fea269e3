# Sourced: puts uv on the PATH, and gets it with pip where there is none.
command -v uv >/dev/null && return
uv_home="${XDG_CACHE_HOME:-$HOME/.cache}/rollgraph/uv"
if ! [ -x "$uv_home/bin/uv" ]; then
  # --target: a system's Python may forbid pip to touch anything else (PEP 668).
  python3 -m pip install --quiet --target "$uv_home" uv || {
    echo "uv is missing, and pip could not get it; see https://docs.astral.sh/uv/" >&2
    exit 1
  }
fi
PATH="$uv_home/bin:$PATH"
