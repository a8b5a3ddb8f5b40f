package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

// ofPeers returns the report of a run. The bridge gives a command up that the broker has not confirmed within 0.9 s: if
// that is what failed, a crowded machine may be why, and it runs again. A fault shows each time.
func ofPeers(t *testing.T, cfg PeersConfig) *PeersReport {
	t.Helper()
	for again := 2; ; again-- {
		report, err := Peers(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		hastened := func(p PeerResult) bool { return strings.HasPrefix(p.Missing, "round trips: the answer to command") }
		if again == 0 || !slices.ContainsFunc(report.Peers, hastened) {
			return report
		}
		t.Logf("run again: %+v", report.Peers)
	}
}

func TestPeersTakeTurns(t *testing.T) {
	t.Parallel()
	report := ofPeers(t, PeersConfig{
		Program: program(t), Folder: t.TempDir(),
		Only: []string{"clu-ws", "bare write loop", "NATS", "clu websocket"},
		Sizes: PeerSizes{
			Rounds: 2, Loads: []PeerLoad{{Clients: 2, Steady: 3, Every: time.Millisecond, Burst: 20}, {Clients: 4, Steady: 2, Every: time.Millisecond, Burst: 10}},
			IdleFrom: 1, IdleTo: 3, RoundTrips: 2, Longest: 5 * time.Minute,
		},
	})
	for _, p := range report.Peers[:2] {
		if p.Missing != "" || p.Lost != 0 || len(p.Loads) != 2 {
			t.Errorf("%+v", p)
			continue
		}
		for i, f := range p.Loads {
			if f.Clients != 2+2*i || len(f.SteadyCPU) != 2 || len(f.BurstCPU) != 2 || len(f.Rate) != 2 || f.Rate[0] <= 0 {
				t.Errorf("%s: %+v", p.Name, f)
			}
		}
	}
	if f := report.Peers[0].Loads[0]; len(f.OwnCPU) != 2 || f.OwnCPU[0] <= 0 {
		t.Errorf("the bridge alone: %+v", f)
	}
	if own := report.Peers[0]; own.RoundTrip <= 0 || len(own.Loads[0].P99) != 2 || own.Loads[0].P99[1] <= 0 {
		t.Errorf("%+v", own)
	}
	for i, why := range map[int]string{2: "setup-peers.sh", 3: "needs RabbitMQ"} {
		if p := report.Peers[i]; !strings.Contains(p.Missing, why) || p.Loads != nil {
			t.Errorf("%+v", p)
		}
	}
	if text := report.Markdown(); !strings.Contains(text, "| bare write loop |") || !strings.Contains(text, "NATS is not measured") {
		t.Error(text)
	}
}

func TestAnUnknownPeerIsAnError(t *testing.T) {
	if _, err := Peers(t.Context(), PeersConfig{Only: []string{"pigeons"}}); err == nil || !strings.Contains(err.Error(), `choose from ["clu-ws"`) {
		t.Error(err)
	}
}

func TestNumbersAreFoundHoweverFramesSplitThem(t *testing.T) {
	text := []byte(`{"sequence":1000000000}` + "\r\n" + `"seq"sequence": 1000000001, "sequence":1000000002`)
	for cut := range text {
		for second := cut; second <= len(text); second += 5 {
			k, s := &checker{}, stream{next: firstNumber}
			for _, part := range [][]byte{text[:cut], text[cut:second], text[second:]} {
				k.scan(&s, part)
			}
			if k.replies != 3 || s.next != firstNumber+3 || k.faults != (faultCounts{}) || k.unnumbered != 0 {
				t.Fatalf("cut at %d and %d: %d numbers, next %d, %v", cut, second, k.replies, s.next, k.faults)
			}
		}
	}
}

// readClientFrame returns the payload of a client's next frame.
func readClientFrame(conn net.Conn) (string, ws.OpCode, error) {
	header, err := ws.ReadHeader(conn)
	if err != nil {
		return "", 0, err
	}
	payload := make([]byte, min(header.Length, 1<<10))
	if _, err := io.ReadFull(conn, payload); err != nil {
		return "", 0, err
	}
	ws.Cipher(payload, header.Mask, 0)
	return string(payload), header.OpCode, nil
}

// topicServer takes the steps of a dialect, and then sends a number.
func topicServer(t *testing.T, d *dialect, answer func(s step) string) dialer {
	return fakeServer(t, upgradeResponse, func(_ int, conn net.Conn) {
		for _, s := range d.steps(repliesTopic) {
			got, op, err := readClientFrame(conn)
			if err != nil {
				return
			}
			if got != s.send || op != d.op {
				t.Errorf("the client sent %q, not %q", got, s.send)
			}
			if err := ws.WriteFrame(conn, ws.NewFrame(d.op, true, []byte(answer(s)))); err != nil {
				return
			}
		}
		if d.ping != "" {
			_ = ws.WriteFrame(conn, ws.NewFrame(d.op, true, []byte(d.ping)))
			got, _, err := readClientFrame(conn)
			if err != nil {
				return // without an answer, no number follows
			}
			if got != d.pong {
				t.Errorf("a ping is answered with %q", got)
			}
		}
		// A client that is not open yet would not count it.
		_ = ws.WriteFrame(conn, ws.NewFrame(d.op, true, fmt.Appendf(nil, "%s%d", marker, uint64(firstNumber))))
	})
}

func TestClientsOfEachDialectSubscribe(t *testing.T) {
	for name, d := range map[string]*dialect{"STOMP": stomp, "MQTT": mqtt, "NATS": nats, "Centrifugo": centrifugo, "SocketShark": shark, "High-templar": templar} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &peersRun{bench: &bench{loop: startLoop(t)}}
			to := topicServer(t, d, func(s step) string { return "<" + s.until + "session:a-ERR4b\n>" })
			set, err := r.peerClients(t.Context(), &runningPeer{target: &target{addr: to.to}, path: "/", dialect: d}, 3)
			if err != nil {
				t.Fatal(err)
			}
			defer set.disconnect()
			testkit.Eventually(t, testkit.Patience, "each client has a number", func() error {
				if n := set.counts().frames; n != 3 {
					return fmt.Errorf("%d numbers", n)
				}
				return nil
			})
		})
	}
}

func TestARefusedSubscriptionIsReported(t *testing.T) {
	r := &peersRun{bench: &bench{loop: startLoop(t)}}
	to := topicServer(t, nats, func(step) string { return "-ERR 'Authorization Violation'\r\n" })
	_, err := r.peerClients(t.Context(), &runningPeer{target: &target{addr: to.to}, path: "/", dialect: nats}, 1)
	if err == nil || !strings.Contains(err.Error(), "Authorization Violation") {
		t.Error(err)
	}
}

func TestMQTTPacketsHaveTheLengthOfTheStandard(t *testing.T) {
	for length, want := range map[int]string{0: "\x30\x00", 127: "\x30\x7f", 128: "\x30\x80\x01", 16383: "\x30\xff\x7f", 16384: "\x30\x80\x80\x01"} {
		if got := mqttPacket(0x30, make([]byte, length)); string(got[:len(want)]) != want || len(got) != len(want)+length {
			t.Errorf("%d: % x", length, got[:len(want)])
		}
	}
}

func TestDescendantsAreFound(t *testing.T) {
	c, err := startChild("a shell", "sh", "-c", "echo ready http://x; cat; true")
	if err != nil {
		t.Fatal(err)
	}
	defer c.stop()
	if _, err := c.address(t.Context(), "http://"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, testkit.Patience, "the shell and its child are found", func() error {
		pids, err := procfs{"/proc"}.descendants([]int{os.Getpid()})
		below, _ := procfs{"/proc"}.descendants([]int{c.pid})
		if err == nil && (!slices.Contains(pids, c.pid) || len(below) != 2) {
			err = fmt.Errorf("%d is not among %v, or has no child: %v", c.pid, pids, below)
		}
		return err
	})
}

// TestThePageShowsThePublishedRun guards the figures of docs/bench.md: `make bench-peers` makes all three files.
func TestThePageShowsThePublishedRun(t *testing.T) {
	var report PeersReport
	if err := json.Unmarshal(readDocs(t, "bench-peers.json"), &report); err != nil {
		t.Fatal(err)
	}
	page := string(readDocs(t, "bench.md"))
	if replaced, err := report.ReplaceTable(page); err != nil || replaced != page {
		t.Errorf("docs/bench.md has other tables than those of docs/bench-peers.json (%v); "+
			"run: go run ./internal/benchpeers -from docs/bench-peers.json -publish", err)
	}
	if string(readDocs(t, "bench-peers.svg")) != report.Plot() {
		t.Error("docs/bench-peers.svg is not the plot of docs/bench-peers.json")
	}
	if _, err := report.ReplaceTable("no table"); err == nil {
		t.Error("a page without a place for the tables has some")
	}
}

func readDocs(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}
