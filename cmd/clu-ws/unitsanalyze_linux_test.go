package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// analyzedUnits returns the units with a program that is on every machine.
func analyzedUnits(t *testing.T) map[string]string {
	t.Helper()
	return map[string]string{
		serviceUnit: strings.ReplaceAll(readUnit(t, serviceUnit), "/usr/local/bin/clu-ws", "/bin/true"),
		socketUnit:  readUnit(t, socketUnit),
	}
}

func TestSystemdFindsNothingWrongWithTheUnits(t *testing.T) {
	t.Parallel()
	out, err := testkit.SystemdAnalyze(t, analyzedUnits(t), "verify", "./"+serviceUnit, "./"+socketUnit)
	if err != nil || strings.Contains(out, "clu-ws.s") {
		t.Errorf("%v\n%s", err, out)
	}
}

// mostExposed is how exposed the service may be by systemd's reckoning: what is left is the network,
// without which there is no bridge.
const mostExposed = 1.4

func TestTheServiceIsNoMoreExposedThanItMustBe(t *testing.T) {
	t.Parallel()
	out, err := testkit.SystemdAnalyze(t, analyzedUnits(t), "security", "--offline=yes", "--no-pager", "./"+serviceUnit)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("there is no score in\n%s", out)
	}
	if score, err := strconv.ParseFloat(found[1], 64); err != nil || score > mostExposed {
		t.Errorf("its exposure is %s, and may be %.1f:\n%s", found[1], mostExposed, out)
	}
}
