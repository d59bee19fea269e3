"""Settings of what is served, and how much of it."""

from enum import StrEnum

from rollgraph.server.settings.forms import Files, Group, setting


class Http(Group):
    """Where Rollgraph listens, and how it stops."""

    host: str = setting(
        "127.0.0.1",
        "The address, or the name of it, to listen on. With `--auth none` it must be of loopback: "
        "whoever reaches it may ask anything.",
        flag="--host",
        value="HOST",
        min_length=1,
    )
    port: int = setting(
        8000,
        "The TCP port to listen on; 0 takes any free one and says which.",
        flag="--port",
        value="PORT",
        ge=0,
        le=65535,
    )
    shutdown_grace: float = setting(
        10.0,
        "Seconds that running requests get to finish after SIGTERM. Kubernetes kills a pod after "
        "30 by default; a query takes milliseconds.",
        flag="--shutdown-grace",
        value="SECONDS",
        ge=0,
        le=3600,
    )
    ready_within: float = setting(
        30.0,
        "Seconds after which `/readyz` says ready although a cluster has neither been read nor "
        "given a reason why not. Its answers are marked stale; the other clusters need not wait.",
        flag="--ready-within",
        value="SECONDS",
        ge=0,
        le=3600,
    )
    stuck_after: float = setting(
        10.0,
        "Seconds by which the event loop may have been late within the last 10, until `/livez` "
        "says that the process is stuck. Its longest work takes a tenth of a second; a machine "
        "that is short of CPU may take seconds, and a restart would not help it.",
        flag="--stuck-after",
        value="SECONDS",
        ge=1,
        le=3600,
    )
    url: str = setting(
        "",
        "The URL at which people reach Rollgraph, such as `https://rollgraph.example.com`, without "
        "a path. A browser's login needs it to come back, and to tell its own page from others. "
        "Without it a browser can log in on loopback only.",
        flag="--url",
        value="URL",
        pattern=r"^$|^https?://[^/?#@\s]+$",
    )
    join_traces: bool = setting(
        False,
        "Whether a request is a part of the trace that its `traceparent` names, and recorded if "
        "that says so. Anybody can send one before it is known who they are: set it where nothing "
        "gets here but what you trust, or through a proxy that takes it from strangers. Without, "
        "each begins a trace here, with a link to its caller's.",
        flag="--join-traces",
        value="",
    )
    graphiql: bool = setting(
        True,
        "Whether a browser that visits `/graphql` gets GraphiQL, with which people write queries "
        "and read the schema. Without it: a page of a few lines. It is served from here alone.",
        flag="--graphiql",
        value="",
    )


class Limits(Group):
    """What one request may ask for. Everything about it is in [limits](limits.md)."""

    body: int = setting(
        256,
        "KiB that the body of a request may have. The largest queries of portals have some 20.",
        flag="--limit-body",
        value="KIB",
        ge=1,
        le=16 * 1024,
    )
    timeout: float = setting(
        10.0,
        "Seconds that a query may take. It takes milliseconds; what takes longer waits for "
        "something that will not come.",
        flag="--limit-timeout",
        value="SECONDS",
        gt=0,
        le=3600,
    )
    action_timeout: float = setting(
        30.0,
        "Seconds that a mutation may take, all its actions together. Each waits for a cluster, and "
        "a little for its controller; what has not been done by then is not begun, and said so.",
        flag="--limit-action-timeout",
        value="SECONDS",
        gt=0,
        le=3600,
    )
    tokens: int = setting(
        2000,
        "Tokens that a document may have: names, numbers, strings, comments, punctuation marks. "
        "Parsing that many takes 8 ms; the usual introspection query has 200.",
        flag="--limit-tokens",
        value="TOKENS",
        ge=1,
        le=100_000,
    )
    depth: int = setting(
        12,
        "Fields that may lie within each other; `edges` is no level of its own. From a cluster "
        "down to the fields of a pod it is 8.",
        flag="--limit-depth",
        value="FIELDS",
        ge=1,
        le=100,
    )
    aliases: int = setting(
        30,
        "Fields that may have another name. Dashboards that ask for some things in one request "
        "have ten; who guesses ids or keeps us busy has hundreds.",
        flag="--limit-aliases",
        value="FIELDS",
        ge=0,
        le=10_000,
    )
    root_fields: int = setting(
        20,
        "Fields that an operation itself may have. Each can be as large as a request of its own.",
        flag="--limit-root-fields",
        value="FIELDS",
        ge=1,
        le=1000,
    )
    directives: int = setting(
        50,
        "Directives that an operation may have, such as `@include`: the validation of each costs "
        "more than that of a field.",
        flag="--limit-directives",
        value="DIRECTIVES",
        ge=0,
        le=10_000,
    )
    cost: int = setting(
        5000,
        "Objects that an answer may have, and work that counts like them: the cost. Over 10,000 "
        "rollouts, 5,000 are 50 to 500 ms of the one core that answers everybody.",
        flag="--limit-cost",
        value="OBJECTS",
        ge=1,
        le=10_000_000,
    )
    introspection: bool = setting(
        True,
        "Whether the schema may be asked for itself, as tools, GraphiQL and a federation's router "
        "do. It is public all the same; without, errors do not suggest names either.",
        flag="--introspection",
        value="",
    )


class Rates(Group):
    """How fast each may ask, in points: [limits](limits.md#rates) tells what they are."""

    points: int = setting(
        3_000_000,
        "Points that each may spend on queries and subscriptions in a minute; 0 for no limit. A "
        "point is some 10 us of the one core that answers, so this is half of it. A portal of "
        "1,000 people that asks in its own name has 3,000 a minute for each: a page of 50 rollouts "
        "takes 71, with all steps and images 831, and what several ask alike within a moment takes "
        "nothing.",
        flag="--rate-points",
        value="POINTS",
        ge=0,
        le=1_000_000_000,
    )
    action_points: int = setting(
        20_000,
        "Points that each may spend on mutations in a minute; 0 for no limit. An action takes some "
        "15: a pipeline may promote a thousand rollouts in a minute, one by one.",
        flag="--rate-action-points",
        value="POINTS",
        ge=0,
        le=1_000_000_000,
    )


class Only(StrEnum):
    """What becomes of documents that are not trusted."""

    OFF = "off"
    REPORT = "report"
    REFUSE = "refuse"


class Documents(Group):
    """Documents that clients need not send: see [persisted documents](../documents.md)."""

    persist: bool = setting(
        True,
        "Whether a document that was sent once with its hash may be asked for by that from then on "
        "(Apollo's automatic persisted queries).",
        flag="--persist-documents",
        value="",
    )
    most: int = setting(
        5000,
        "Documents that are remembered by their hash, of 16 MiB together; what nobody has asked "
        "for longest goes first, and is sent again. A portal has some hundred.",
        flag="--persisted-documents",
        value="DOCUMENTS",
        ge=1,
        le=1_000_000,
    )
    files: Files = setting(
        (),
        "Files with trusted documents and their ids, as Apollo's manifest, Relay or "
        "graphql-codegen write them. Each must fit the schema. Read again when they change; while "
        "they are broken, the last good ones hold.",
        flag="--trusted-documents",
        value="PATH",
    )
    only: Only = setting(
        Only.OFF,
        "What becomes of documents that are not in those files: `off` answers them, `report` "
        "answers and logs each once, `refuse` refuses them, GraphiQL's too.",
        flag="--trusted-only",
        value="MODE",
    )


class Streams(Group):
    """Subscriptions, and whatever else is asked over a WebSocket or a stream of events."""

    init_timeout: float = setting(
        10.0,
        "Seconds that a WebSocket may stay without `connection_init`, which says who asks. Clients "
        "send it at once; whoever does not may only want to take places.",
        flag="--stream-init-timeout",
        value="SECONDS",
        gt=0,
        le=600,
    )
    heartbeat: float = setting(
        15.0,
        "Seconds after which something is sent although nothing has happened. Proxies and load "
        "balancers end a connection that has been quiet for 30 to 60.",
        flag="--stream-heartbeat",
        value="SECONDS",
        gt=0,
        le=600,
    )
    patience: float = setting(
        20.0,
        "Seconds that a client may take nothing of what is sent to it, or not answer a ping. Then "
        "its connection ends; it comes back with its last cursor when it can.",
        flag="--stream-patience",
        value="SECONDS",
        gt=0,
        le=600,
    )
    per_connection: int = setting(
        100,
        "Streams that may go on at a time on one WebSocket. A page has some ten; without a "
        "bound, one connection could take all places.",
        flag="--streams-per-connection",
        value="STREAMS",
        ge=1,
        le=10_000,
    )
    per_viewer: int = setting(
        1000,
        "Streams that may go on at a time in one viewer's name. A portal may ask in its own "
        "name for all of its people; a person has some ten.",
        flag="--streams-per-viewer",
        value="STREAMS",
        ge=1,
        le=1_000_000,
    )
    most: int = setting(
        10_000,
        "Streams, and WebSockets, that may go on at a time altogether. Each takes some 50 KiB "
        "of memory, and more while its client is slow.",
        flag="--streams",
        value="STREAMS",
        ge=1,
        le=1_000_000,
    )
