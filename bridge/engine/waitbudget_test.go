package engine

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSourcesWaitNoLongerForManyStuckFollowersThanForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keep := &streams{}
		keep.waiting.fill()
		logs := make([]stream, 60)
		frame := Text(string(make([]byte, 1000)))
		began := time.Now()
		for i := range logs {
			logs[i].init(1000, keep)
			logs[i].follow()
			for range 10 {
				logs[i].append(frame)
				keep.awaitRoom()
			}
		}
		if waited := time.Since(began); waited != mostWaiting {
			t.Errorf("the source waited for %v", waited)
		}
	})
}

func TestAWaitThatEndsWellUsesNoBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p waitBudget
		p.fill()
		for range 10 {
			room := make(chan struct{})
			go func() {
				time.Sleep(mostWaiting / 2)
				close(room)
			}()
			if !p.wait(room) {
				t.Fatal("the budget ended before there was room")
			}
		}
		for range 2 {
			if p.wait(nil) {
				t.Error("waiting in vain ended well")
			}
		}
		p.recover()
		began := time.Now()
		p.wait(nil)
		if waited := time.Since(began); waited != waitingEarned {
			t.Errorf("after a tick the source waits for %v", waited)
		}
	})
}
