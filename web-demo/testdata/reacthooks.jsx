// A page with the hooks, whose props the test changes.
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { CluProvider, useClu, useCommand, useConnection, useKeyword } from "clu-ws/react";

const record = window.record = { shown: [], sockets: [], renders: {} };
const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  constructor(...args) {
    super(...args);
    record.sockets.push(this);
  }
};
window.openSockets = () => record.sockets.filter(({ readyState }) => readyState < Socket.CLOSING).length;

function Keyword({ id, actor, name }) {
  const { value, stale } = useKeyword(actor, name);
  record.renders[id] = (record.renders[id] ?? 0) + 1;
  record.shown.push(`${actor}.${name} ${value} ${stale}`);
  return <output id={id}>{`${value} ${stale}`}</output>;
}

function Commands({ verb }) {
  window.command = useCommand("dome", verb);
  window.clu = useClu();
  const { state, running, error } = window.command;
  return <p id="command">{`${state} ${running} ${error?.state ?? null}`}</p>;
}

function Connection() {
  const { state, current, refused } = useConnection();
  return <p id="connection">{`${state} ${current} ${refused}`}</p>;
}

function App() {
  const [props, setProps] = useState({ mounted: true, url: new URLSearchParams(location.search).get("bridge"), actor: "weather", name: "is_safe", verb: undefined });
  window.change = (some) => setProps((all) => ({ ...all, ...some }));
  if (!props.mounted) return <p id="gone" />;
  return (
    <CluProvider url={props.url}>
      <Keyword id="one" actor={props.actor} name={props.name} />
      <Keyword id="still" actor="mount" name="state" />
      <Commands verb={props.verb} />
      <Connection />
    </CluProvider>
  );
}

createRoot(document.getElementById("root")).render(<StrictMode><App /></StrictMode>);
