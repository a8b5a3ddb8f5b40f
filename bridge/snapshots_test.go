package bridge_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/clu-ws/clu-ws/internal/testkit"
)

const (
	knownActors, knownKeywords = 100, 50
	snapshotClients            = 1000
	before                     = knownActors + 1 // replies before those that are numbered
)

// seenSnapshots holds the snapshots that clients got, by the number of the last reply in them. Those of
// the same number must be equal.
type seenSnapshots struct {
	mu    sync.Mutex // guards the following field
	bySeq map[uint64]*seenSnapshot
}

// seenSnapshot is the first snapshot of a number. For the others, only the hash is compared: a
// thousand snapshots would not fit into memory.
type seenSnapshot struct {
	read chan struct{} // closed when the following is there
	text []byte        // as the first client has read it
	sum  [sha256.Size]byte
}

// read reads the rest of a snapshot, up to its last fragment.
func (g *seenSnapshots) read(in io.Reader, begin []byte) (seq uint64, err error) {
	seq = numberBehind(begin, `"seq": `)
	g.mu.Lock()
	p, known := g.bySeq[seq]
	if !known {
		p = &seenSnapshot{read: make(chan struct{})}
		g.bySeq[seq] = p
	}
	g.mu.Unlock()
	sum, text := sha256.New(), bytes.NewBuffer(begin)
	to := io.Writer(sum)
	if !known {
		defer close(p.read)
		to = io.MultiWriter(sum, text)
	}
	for last := false; !last; {
		h, err := ws.ReadHeader(in)
		if err != nil {
			return 0, err
		}
		if h.OpCode != ws.OpContinuation {
			return 0, fmt.Errorf("in the middle of a snapshot came %+v", h)
		}
		if _, err := io.CopyN(to, in, h.Length); err != nil {
			return 0, err
		}
		last = h.Fin
	}
	if !known {
		p.text, p.sum = text.Bytes(), [sha256.Size]byte(sum.Sum(nil))
		return seq, nil
	}
	if <-p.read; p.sum != [sha256.Size]byte(sum.Sum(nil)) {
		return 0, fmt.Errorf("two snapshots of reply %d differ", seq)
	}
	return seq, nil
}

// check compares a snapshot with what the actors have said.
func (g *seenSnapshots) check(t *testing.T, seq uint64) {
	t.Helper()
	s := parseEnvelope(t, g.bySeq[seq].text)
	for a := range knownActors {
		for k := range knownKeywords {
			got := s.path("actors", fmt.Sprintf("actor%d", a), "keywords", fmt.Sprintf("keyword%d", k), "value")
			if got != json.Number(strconv.Itoa(1000*a+k)) {
				t.Fatalf("keyword %d of actor %d is %v", k, a, got)
			}
		}
	}
	want := any(nil)
	if seq > before {
		want = json.Number(strconv.Itoa(int(seq) - before))
	}
	equal(t, "the value that the stream had", s.path("actors", "stream", "keywords", "n", "value"), want)
}

// snapshotClient is a client that asks for a snapshot while replies come.
type snapshotClient struct {
	*client
	in       *bufio.Reader
	filtered bool   // it gets no reply before the snapshot
	at       uint64 // the last reply that it got, also by a snapshot
}

// Half of the clients get every reply before, by their initial subscription; the others get none.
func TestAThousandClientsAskForASnapshotAtOnceAndMissNothing(t *testing.T) {
	url := embeddedBroker(t)
	b := linked(t, url, withHistory)
	p := newPeer(t, url)
	observer, _ := dialV1(t, b.addr, "/")
	for a := range knownActors {
		p.from(fmt.Sprintf("actor%d", a), "i", knownBody(a))
		observer.next()
	}
	p.from("stream", "i", "{}")
	observer.next()
	awaitConsumersKnown(t, b.addr)
	observer.Close()
	var all []*snapshotClient
	for i := range snapshotClients {
		all = append(all, newSnapshotClient(t, b.addr, i%2 == 1))
	}
	seen := &seenSnapshots{bySeq: map[uint64]*seenSnapshot{}}
	var asking, reading sync.WaitGroup
	last := make(chan struct{}) // closed when lastSeq is known
	var lastSeq uint64
	var said uint64
	for i, c := range all {
		if i%20 == 0 { // also while they ask, however soon all have asked
			said++
			p.says(said)
		}
		asking.Add(1)
		reading.Go(func() {
			seq, err := c.watch(seen, asking.Done)
			<-last
			if err == nil && seq != lastSeq {
				err = fmt.Errorf("the last reply was %d, not %d", seq, lastSeq)
			}
			if err != nil {
				t.Error(err)
			}
		})
		c.say(`{"op": "subscribe", "id": "s", "snapshot": true}`)
	}
	stop := p.stream(said, 5*time.Millisecond)
	asking.Wait()
	lastSeq = before + stop() + 1
	p.from("stream", "i", `"end"`)
	close(last)
	reading.Wait()
	for seq := range seen.bySeq {
		seen.check(t, seq)
	}
}

// awaitConsumersKnown waits until the bridge knows of each actor whether it takes commands. It learns that without a reply, so
// that two snapshots of one reply may differ until then.
func awaitConsumersKnown(t *testing.T, addr string) {
	t.Helper()
	c, _ := dialV1(t, addr, "/?sender=nobody")
	c.next() // the answer to the URL
	testkit.WaitUntil(t, "all consumers are known", func() bool {
		c.say(`{"op": "snapshot", "id": "s"}`)
		return !bytes.Contains(c.text(), []byte(`"consumer": null`))
	})
	c.Close()
}

func newSnapshotClient(t *testing.T, addr string, filtered bool) *snapshotClient {
	t.Helper()
	c := &snapshotClient{filtered: filtered}
	target := "/"
	if filtered {
		target = "/?sender=nobody"
	}
	var hello envelope
	c.client, hello = dialV1(t, addr, target)
	c.at = hello.seq()
	if filtered {
		equal(t, "the answer to the URL", c.next()["op"], any("ok"))
	}
	c.in = bufio.NewReader(c)
	return c
}

// says publishes a numbered reply.
func (p *peer) says(n uint64) { p.from("stream", "i", fmt.Sprintf(`{"n": %d}`, n)) }

// stream publishes the replies after n until it is stopped, and returns the last.
func (p *peer) stream(n uint64, every time.Duration) (stop func() uint64) {
	stopped := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			n++
			p.says(n)
			select {
			case <-stopped:
				return
			case <-tick.C:
			}
		}
	})
	return func() uint64 { close(stopped); sending.Wait(); return n }
}

// knownBody returns the keywords of an actor, with values that identify them.
func knownBody(actor int) string {
	body := map[string]int{}
	for k := range knownKeywords {
		body[fmt.Sprintf("keyword%d", k)] = 1000*actor + k
	}
	text, _ := json.Marshal(body)
	return string(text)
}

// watch reads up to the reply that ends the stream, and returns its number. Each reply must come
// once and in order, wherever the snapshot is among them, and none after it may be missing.
func (c *snapshotClient) watch(seen *seenSnapshots, asked func()) (last uint64, err error) {
	asked = sync.OnceFunc(asked)
	defer asked() // also on failure, so that nothing waits for it
	_ = c.SetReadDeadline(time.Now().Add(4 * testkit.Patience))
	shown := false
	for {
		h, err := ws.ReadHeader(c.in)
		if err != nil {
			return 0, fmt.Errorf("behind reply %d: %w", c.at, err)
		}
		if !h.Fin { // the beginning of a snapshot, which is the client's own
			seq, err := c.readSnapshot(seen, h.Length)
			switch {
			case err != nil:
				return 0, err
			case shown:
				return 0, errors.New("a second snapshot")
			case c.filtered:
				c.at = seq
			case seq != c.at: // an older one lacks what it has had already
				return 0, fmt.Errorf("the snapshot is of reply %d, and the last reply was %d", seq, c.at)
			}
			shown = true
			asked()
			continue
		}
		text := make([]byte, h.Length)
		if _, err := io.ReadFull(c.in, text); err != nil {
			return 0, err
		}
		if h.OpCode != ws.OpText || bytes.HasPrefix(text, []byte(`{"op"`)) {
			continue
		}
		seq := numberBehind(text, `"seq": `)
		if seq != c.at+1 || c.filtered && !shown {
			return 0, fmt.Errorf("behind %d came reply %d; was the snapshot there? %t", c.at, seq, shown)
		}
		c.at = seq
		if bytes.Contains(text, []byte(`"body": "end"`)) {
			return seq, nil
		}
		if n := numberBehind(text, `{"n": `); n != seq-before {
			return 0, fmt.Errorf("reply %d has the body of %d", seq, n)
		}
	}
}

// readSnapshot reads a snapshot in its fragments, and returns the number of the last reply
// in it.
func (c *snapshotClient) readSnapshot(seen *seenSnapshots, length int64) (uint64, error) {
	begin := make([]byte, length)
	if _, err := io.ReadFull(c.in, begin); err != nil {
		return 0, err
	}
	if want := `{"op": "snapshot", "id": "s", "epoch": "`; !bytes.HasPrefix(begin, []byte(want)) {
		return 0, fmt.Errorf("the first fragment is %q, not %q", begin, want)
	}
	return seen.read(c.in, begin)
}

// numberBehind returns the number after the first such text; 0 is none.
func numberBehind(text []byte, key string) (n uint64) {
	_, rest, _ := bytes.Cut(text, []byte(key))
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + uint64(c-'0')
	}
	return n
}
