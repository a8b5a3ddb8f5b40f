package engine

import (
	"errors"
	"syscall"
	"time"
)

// An engine serves nobody on Windows: [New] refuses, and what follows is never called.
// It is here so that everything else builds, and programs that serve elsewhere.

type socket = syscall.Handle

func newPoller(bool) (poller, error) {
	return nil, errors.New("engine: serving clients needs Linux, macOS or a BSD")
}

func acceptSocket(int) (int, syscall.Sockaddr, error) { return -1, nil, syscall.EWINDOWS }
func inheritsOptions(int) bool                        { return false }
func limitUnsent(int)                                 {}
func unreadBytes(int) (int, error)                    { return 0, syscall.EWINDOWS }
func hasHungUp(int) bool                              { return true }
func bootClock() time.Duration                        { return 0 }
func maxOpenConnections() int                         { return 1 << 30 }
