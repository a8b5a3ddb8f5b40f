// Prints the wind, opens the dome, and says how that ended. For node, Deno and Bun.
import { connect } from "clu-ws";

// Node 20 has no WebSocket of its own.
const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;

const clu = connect(process.argv[2] ?? "ws://localhost:9876/", { WebSocket });
const wind = await clu.waitFor("weather", "wind_speed_ms", (value) => value !== undefined, { timeout: 30_000 });
console.log("wind", wind.value, "m/s");
try {
  const { keywords } = await clu.send("dome", "open", { timeout: 60_000 });
  console.log("dome", keywords.dome_shutter);
} catch (error) {
  console.log("dome", error.state, error.message);
  process.exitCode = 1;
}
clu.close();
