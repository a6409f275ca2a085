// Where a link from outside leads. A link only ever names a place to look at: it decides nothing, changes nothing, fills nothing.

type Destination =
  | { to: "/inbox" }
  | { to: "/agents" }
  | { to: "/agents/$agent"; params: { agent: string } }
  | { to: "/servers" }
  | { to: "/credentials" }
  | { to: "/policies" }
  | { to: "/settings/$tab"; params: { tab: string } }
  | { to: "/inbox/$approval"; params: { approval: string } } | { to: "/timeline"; search: { q?: string; op?: string; link?: "unknown" } };

/** A link that names nothing we know: Timeline says so. */
const UNKNOWN: Destination = { to: "/timeline", search: { link: "unknown" } };

/** Ids as the engine makes them; anything else in a link is not one. */
const ID = /^[A-Za-z0-9_-]{1,64}$/;

/** `reeve://inbox/apr_1`, or the same as a path: `/inbox/apr_1`. */
export function destination(link: unknown): Destination {
  if (typeof link !== "string" || link.length > 128) return UNKNOWN;
  const path = link.startsWith("reeve://") ? link.slice("reeve://".length) : link.startsWith("/") ? link.slice(1) : null;
  if (path === null) return UNKNOWN;
  const [place, id, ...rest] = path.replace(/\/$/, "").split("/");
  if (rest.length > 0 || (id !== undefined && !ID.test(id))) return UNKNOWN;
  switch (place) {
    case "inbox":
      return id === undefined ? { to: "/inbox" } : { to: "/inbox/$approval", params: { approval: id } };
    case "agents":
      return id === undefined ? { to: "/agents" } : { to: "/agents/$agent", params: { agent: id } };
    case "servers":
      return id === undefined ? { to: "/servers" } : UNKNOWN;
    case "credentials":
      return id === undefined ? { to: "/credentials" } : UNKNOWN;
    case "policies":
      return id === undefined ? { to: "/policies" } : UNKNOWN;
    case "settings":
      return id === undefined ? UNKNOWN : { to: "/settings/$tab", params: { tab: id } };
    case "timeline":
      return id === undefined ? { to: "/timeline", search: {} } : UNKNOWN;
    case "record":
      return id === undefined ? UNKNOWN : { to: "/timeline", search: { op: id } };
    case "session":
      return id === undefined ? UNKNOWN : { to: "/timeline", search: { q: `session:${id}` } };
    default:
      return UNKNOWN;
  }
}
