// Package monitoring has what an operator gives to Prometheus and Grafana:
//
//	bridge ── /metrics ──▶ Prometheus ──▶ clu-ws.rules.yaml: alerts; clu-ws.rules_test.yaml: when each fires, and when not
//	                           └────────▶ grafana-dashboard.json: panels
//
// Its tests run Prometheus on a bridge: every alert and every panel is asked there, and names only series that exist.
// docs/operating.md says how to use the files.
package monitoring
