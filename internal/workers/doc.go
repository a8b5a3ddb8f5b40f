// Package workers runs functions that may block, a bounded number at a time:
//
//	Pool.Do ──► a goroutine, while fewer than Max run ──► else the queue, up to MaxWaiting ──► else false
package workers
