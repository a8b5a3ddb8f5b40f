package bench

import (
	"strings"
	"testing"
	"time"
)

func TestClientsOfAKilledBridgeReconnectToTheOthers(t *testing.T) {
	sizes := tiny()
	sizes.HugeClients, sizes.HugeBridges, sizes.HugeReplies, sizes.HugeEvery = 60, 3, 20, 20*time.Millisecond
	var out strings.Builder
	err := Run(t.Context(), Config{Program: program(t), Sizes: sizes, Only: []string{"hundredthousand"}, Stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []string{"the last client has a reply", "memory of the processes", "CPU per delivery", "have reconnected", "by SIGTERM", "none lost or duplicated"} {
		if !strings.Contains(out.String(), row) {
			t.Errorf("the table has no %q:\n%s", row, out.String())
		}
	}
}

func TestTheRemainingBridgesHaveRoomForTheClientsOfAKilledOne(t *testing.T) {
	if n, err := bridgesFor(60, 3); n != 3 || err != nil {
		t.Errorf("60 clients: %d bridges, %v", n, err)
	}
	const many = 100_000_000 // more than the system lets a process open
	if n, err := bridgesFor(many, 3); n < 4 || err != nil {
		t.Errorf("%d clients: %d bridges, %v", many, n, err)
	}
}
