package engine

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// follow moves a follower to the end of the pass and returns what it was sent.
func follow(r *ring, c *conn) (got string) {
	var scratch []byte
	for c.cursor < r.to {
		run, next := r.run(c.cursor, 8, &scratch)
		got += string(run)
		c.cursor = next
	}
	return got
}

func TestARingGivesEveryFollowerEveryFrameFromItsStart(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	r := &ring{limit: 1 << 20}
	type member struct {
		conn
		want, got string
	}
	var members []*member
	for i := range 2000 {
		switch rng.IntN(5) {
		case 0:
			m := new(member)
			r.add(&m.conn, r.head)
			members = append(members, m)
		case 1:
			if len(members) > 3 {
				n := rng.IntN(len(members))
				r.remove(&members[n].conn)
				members = append(members[:n], members[n+1:]...)
			}
		case 2:
			r.startPass(8)
			for _, m := range members {
				if rng.IntN(4) > 0 { // the others' sockets are full
					m.got += follow(r, &m.conn)
				}
				r.minCursor = min(r.minCursor, m.cursor)
			}
			r.release(min(r.minCursor, r.to))
		default:
			f := fmt.Sprintf("%d,", i)
			r.push(Frame(f))
			for _, m := range members {
				m.want += f
			}
		}
	}
	for r.to < r.head {
		r.startPass(8)
		for _, m := range members {
			m.got += follow(r, &m.conn)
		}
	}
	for i, m := range members {
		m.got += follow(r, &m.conn)
		if m.got != m.want {
			t.Fatalf("follower %d got %q, want %q", i, m.got, m.want)
		}
	}
}

func TestARingKeepsWithinItsLimitWhateverASlowFollowerNeeds(t *testing.T) {
	r := &ring{limit: 1000}
	slow := new(conn)
	r.add(slow, r.head)
	for range 500 {
		r.push(make(Frame, 10))
		r.startPass(chunkSize)
		r.release(min(r.minCursor, slow.cursor))
		if r.bytes > r.limit+10 {
			t.Fatalf("the ring holds %d bytes", r.bytes)
		}
	}
	if slow.cursor >= r.tail {
		t.Fatal("the slow follower did not lag")
	}
}

func TestLeavingDuringAPassSkipsNoFollower(t *testing.T) {
	for pos := range 6 {
		for leaving := range 5 {
			r := &ring{}
			conns := make([]*conn, 5)
			for i := range conns {
				conns[i] = new(conn)
				r.add(conns[i], r.head)
			}
			r.pos = min(pos, 5)
			visited := map[*conn]bool{}
			for _, c := range r.followers[:r.pos] {
				visited[c] = true
			}
			r.remove(conns[leaving])
			for _, c := range r.followers[r.pos:] {
				if visited[c] {
					t.Fatalf("at %d without %d: a follower is visited twice", pos, leaving)
				}
				visited[c] = true
			}
			for i, c := range conns {
				if i != leaving && !visited[c] {
					t.Fatalf("at %d without %d: follower %d is not visited", pos, leaving, i)
				}
				if i != leaving && r.followers[c.followerIndex] != c {
					t.Fatalf("at %d without %d: follower %d is at the wrong index", pos, leaving, i)
				}
			}
		}
	}
}
