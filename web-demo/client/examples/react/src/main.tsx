import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { hooks } from "clu-ws/react";

import type { Site } from "./site";

// site.d.ts is written by "npm run types": a name that no actor has does not compile.
const { CluProvider, useCommand, useConnection, useKeyword } = hooks<Site>();

const bridge = new URLSearchParams(location.search).get("bridge") ?? "ws://localhost:9876/";

function Connection() {
  const { current, state, broker } = useConnection();
  return <p id="connection" role="status">{current ? "connected" : `what is shown may be old: ${state}, the broker is ${broker}`}</p>;
}

function Wind() {
  const { value, stale } = useKeyword("weather", "wind_speed_ms");
  return <p>Wind: <output id="wind" style={{ color: stale ? "gray" : undefined }}>{value ?? "?"}</output> m/s</p>;
}

function Shutter() {
  const { value, stale } = useKeyword("dome", "dome_shutter");
  return <p>Shutter: <output id="shutter" style={{ color: stale ? "gray" : undefined }}>{value ?? "?"}</output></p>;
}

function DomeButton({ verb }: { verb: "open" | "close" }) {
  const { send, running, state, error } = useCommand("dome", verb);
  return (
    <p>
      <button id={verb} disabled={running} onClick={() => send("", { timeout: 60_000 })}>{verb}</button>{" "}
      <span role="status" id={`${verb}-state`}>{error ? `${state}: ${error.message}` : state}</span>
    </p>
  );
}

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <CluProvider url={bridge}>
      <Connection />
      <Wind />
      <Shutter />
      <DomeButton verb="open" />
      <DomeButton verb="close" />
    </CluProvider>
  </StrictMode>,
);
