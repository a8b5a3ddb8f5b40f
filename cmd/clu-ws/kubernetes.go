package main

import (
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// setByKubernetes reports whether the value of an environment variable is one that
// Kubernetes sets in every pod for a Service: tcp://10.96.1.2:9876 in CLU_WS_PORT for one
// called clu-ws. Such a value is a Service's address, not a setting.
func setByKubernetes(name, value string) bool {
	if !strings.HasSuffix(name, "_PORT") {
		return false
	}
	protocol, address, ok := strings.Cut(value, "://")
	if !ok || !slices.Contains([]string{"tcp", "udp", "sctp"}, protocol) {
		return false
	}
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.String() == address
}

// env returns the environment variable of a flag: CLU_WS_ and the flag's name. There is
// none if Kubernetes has set it.
func env(flag string) []string {
	name := variable(flag)
	if setByKubernetes(name, os.Getenv(name)) {
		return nil
	}
	return []string{name}
}

// variable returns the name of a flag's environment variable.
func variable(flag string) string {
	return "CLU_WS_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// logKubernetesVariables logs the ignored variables.
func logKubernetesVariables(flags []string, log *slog.Logger) {
	for _, flag := range flags {
		name := variable(flag)
		if value := os.Getenv(name); setByKubernetes(name, value) {
			log.Debug("ignored an environment variable that Kubernetes sets for a Service of that name", "variable", name, "value", value, "flag", "--"+flag)
		}
	}
}
