package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
)

func TestTheSampleUnitsUseFlagsThatExist(t *testing.T) {
	var known []string
	for _, f := range websocketCommand(nil, nil).Flags {
		known = append(known, "--"+f.Names()[0])
		known = append(known, f.(cli.DocGenerationFlag).GetEnvVars()...)
	}
	units, err := filepath.Glob(filepath.Join("..", "..", "docs", "systemd", "*"))
	if err != nil || len(units) != 2 {
		t.Fatalf("the units are %v, %v", units, err)
	}
	word := regexp.MustCompile(`CLU_WS_[A-Z_]+|(?:^|\s)--[a-z][a-z-]+`)
	for _, unit := range units {
		content, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			if strings.Contains(line, "systemctl") {
				continue // flags of systemctl
			}
			for _, found := range word.FindAllString(line, -1) {
				if found = strings.TrimSpace(found); !slices.Contains(known, found) {
					t.Errorf("%s mentions %s, which is not a flag of clu-ws websocket", filepath.Base(unit), found)
				}
			}
		}
	}
}

func TestSystemdWaitsForTheEndOfTheBridge(t *testing.T) {
	unit, err := os.ReadFile(filepath.Join("..", "..", "docs", "systemd", "clu-ws.service"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^TimeoutStopSec=(\S+)$`).FindSubmatch(unit)
	if found == nil {
		t.Fatal("the unit has no TimeoutStopSec")
	}
	wait, err := time.ParseDuration(string(found[1]))
	if drain := configured(t).Drain.Timeout; err != nil || wait <= drain {
		t.Errorf("systemd kills the bridge after %s, and --drain-timeout is %v", found[1], drain)
	}
}
