package engine

import (
	"errors"
	"syscall"
	"time"
)

// On Windows [New] returns an error, and the following is never called. It lets packages
// and programs that use the engine build there.

type socket = syscall.Handle

func newPoller(bool) (poller, error) {
	return nil, errors.New("engine: serving needs Linux, macOS or a BSD")
}

func acceptSocket(int) (int, syscall.Sockaddr, error) { return -1, nil, syscall.EWINDOWS }
func inheritsOptions(int) bool                        { return false }
func limitUnsent(int)                                 {}
func unreadBytes(int) (int, error)                    { return 0, syscall.EWINDOWS }
func hasHungUp(int) bool                              { return true }
func bootClock() time.Duration                        { return 0 }
func maxOpenConnections() int                         { return 1 << 30 }
