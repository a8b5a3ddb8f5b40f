// Package deadline calls functions at their times. One timer serves any number of them, so that a
// deadline for each of very many clients costs little:
//
//	Queue.Set(entry, time) ──► heap, the first on top ──► one timer ──► Entry.Due
package deadline
